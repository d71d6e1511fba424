// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/engine_model.hpp"

#include <algorithm>

using namespace std::chrono_literals;

namespace sftdyn::update {
namespace {

const std::string foreign_name =
    std::string(dns::Name::parse("foreign.example.net").value().bytes());

}  // namespace

EngineModel::EngineModel(std::uint32_t seed, ModelCounts& counts) : random_(seed), counts_(counts) {
    limits_.changes_burst = one_in(3) ? pick(1, 3) : 0;
    limits_.batch = pick(1, 8);
    if (one_in(4)) limits_.queue = pick(1, 5);
    limits_.updates_in_flight = pick(1, 2);
    limits_.queries_in_flight = pick(1, 4);
    limits_.freshness = one_in(3) ? 300s : one_in(2) ? 1s : 0s;
    limits_.follow_serial = !one_in(4);
    no_serials_ = one_in(8);
    backend_.serials = static_cast<FakeBackend::Serials>(pick(0, 2));
    limits_.read_back = one_in(2);
    if (limits_.read_back && one_in(2)) backend_.hidden.insert(name_of(pick(0, 5)).text());
    edits_ = one_in(2);
    elsewhere_ = one_in(2);
    reverse_ = one_in(2);
    zones_ = one_in(3);
    if (reverse_) {
        for (const char* zone : {"in-addr.arpa", "ip6.arpa"})
            backend_.zones.push_back(dns::Name::parse(zone).value());
    }
    backend_.hold_contacts = one_in(3);
    if (zones_) backend_.zones.insert(backend_.zones.begin(), name_of(4));
    backend_.on_change = [this](unsigned server, const FakeBackend::RecordKey& key,
                                const std::vector<std::string>& before, unsigned node) {
        if (server == backend_.server) on_change(key, before, node);
    };
    const auto clock = [this] { return now_; };
    const auto failed = [](const dns::Name&, dns::Type, const dns::DnsError&) {};
    engine_ = std::make_unique<Engine>(backend_, hosts_, known_, limits_, clock, failed);
    second_engine_ = std::make_unique<Engine>(second_backend_, second_hosts_, second_known_,
                                              limits_, clock, failed);
}

void EngineModel::run(unsigned steps) {
    for (unsigned step = 0; step < steps; ++step) one_step();
    end();
}

void EngineModel::one_step() {
    now_ += 1ns;  // everything happens at a time of its own
    switch (pick(0, 25)) {
        case 0:
        case 1:
        case 2:
            return give([this] { submit(); });
        case 3:
            return give([this] { submit_group(); });
        case 4:
            return give([this] { submit_script(); });
        case 5:
        case 6:
            return backend_.run_searches();
        case 7:
        case 8:
            return answer_query();
        case 9:
        case 10:
        case 11:
        case 12:
            answer_update();
            return check_served();
        case 13:
            resolve_one();
            return check_served();
        case 14:
            if (one_in(8)) reconfigure();
            return;
        case 15:
            if (one_in(12)) change_servers();
            return;
        case 16:
            if (edits_ && one_in(4)) edit();
            if (reverse_ && one_in(8)) edit_pointer();
            return;
        case 17:
            if (one_in(4)) backend_.block(FakeBackend::failure(dns::ErrorKind::unreachable));
            return;
        case 18:
            if (one_in(4)) now_ += std::chrono::milliseconds(pick(1, 3000));
            engine_->tick();
            second_engine_->tick();
            return check_deadlines();
        case 19:
        case 20:
            return elsewhere_ ? submit_elsewhere() : submit();
        case 21:
        case 22:
        case 23:
        case 24:
            return answer_serial();
        default: {
            const std::string culprit = name_of(pick(0, 5)).text();
            if (backend_.refused.erase(culprit) == 0 && one_in(3)) backend_.refused.insert(culprit);
        }
    }
}

// --- what clients and others do

void EngineModel::give(const std::function<void()>& submit) {
    accepting_ = true;
    submit();
    accepting_ = false;
}

DesiredRecord EngineModel::random_desired(const Record& record) {
    DesiredRecord desired;
    desired.rrset = {hosts_.number(record.name), record.type};
    desired.rdata = random_rdata(record.type);
    if (desired.rdata.empty()) desired.kind = dns::ChangeKind::remove;
    desired.reverse = reverse_ && !one_in(3);
    desired.at_source = !one_in(4);
    return desired;
}

std::uint64_t EngineModel::accept(const Record& record) {
    const std::uint64_t ticket = ++tickets_;
    state(record).last_accepted = ticket;
    open_[ticket] = {now_, now_ + limits_.timeout};
    return ticket;
}

void EngineModel::submit() {
    const Record record = random_record();
    const DesiredRecord desired = random_desired(record);
    const std::uint64_t ticket = accept(record);
    // As the HTTP side does: what is known and fresh is answered without the engine.
    if (known_.is_served(desired.rrset, desired.rdata, now_ - limits_.freshness))
        return tell(record, desired.rdata, ticket, UpdateStatus::unchanged);
    engine_->submit(
        desired, [this, record, desired, ticket,
                  lookups = backend_.lookups_of[record.name.text()]](UpdateOutcome outcome) {
            if (outcome.status == UpdateStatus::committed) count_paid(desired.rrset.host);
            counts_.told_by_serial += outcome.status == UpdateStatus::unchanged &&
                                      limits_.freshness == 0s &&
                                      lookups == backend_.lookups_of[record.name.text()];
            tell(record, desired.rdata, ticket, outcome.status);
        });
}

/// A client asks the second node.
void EngineModel::submit_elsewhere() {
    const Record record = random_record();
    DesiredRecord desired;
    desired.rrset = {second_hosts_.number(record.name), record.type};
    desired.rdata = random_rdata(record.type);
    if (desired.rdata.empty()) desired.kind = dns::ChangeKind::remove;
    const auto told = [this, record, rdata = desired.rdata, began = now_](UpdateOutcome outcome) {
        if (outcome.status != UpdateStatus::committed && outcome.status != UpdateStatus::unchanged)
            return;
        ++counts_.told_elsewhere;
        check_was_served(record, rdata, began);
    };
    if (second_known_.is_served(desired.rrset, desired.rdata, now_ - limits_.freshness))
        return told({UpdateStatus::unchanged});
    second_engine_->submit(desired, told);
}

void EngineModel::submit_group() {
    struct Part {
        Record record;
        DesiredRecord desired;
        std::uint64_t ticket;
    };
    std::vector<Part> parts;
    std::vector<DesiredRecord> desired_records;
    const auto start = pick(0, 11), count = pick(2, 4);
    for (unsigned i = 0; i < count; ++i) {
        // Five and twelve have no common divisor: all are different.
        const unsigned which = (start + i * 5) % 12;
        const Record record{name_of(which / 2), which % 2 == 0 ? dns::Type::a : dns::Type::aaaa};
        desired_records.push_back(random_desired(record));
        parts.push_back({record, desired_records.back(), accept(record)});
    }
    engine_->submit_group(
        std::move(desired_records), [this, parts](const std::vector<UpdateOutcome>& outcomes) {
            ++counts_.groups_told;
            unsigned good = 0, spent = 0;
            std::set<HostId> paid;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                const UpdateStatus status = outcomes[i].status;
                const HostId host = hosts_.number(parts[i].record.name);
                if (status == UpdateStatus::committed && paid.insert(host).second) count_paid(host);
                good += status == UpdateStatus::committed || status == UpdateStatus::unchanged;
                spent += status == UpdateStatus::over_budget;
                // As the HTTP side does: those in another zone may have been answered long ago.
                const bool invalidated = zones_ && !engine_->is_still_so(parts[i].desired);
                tell(parts[i].record, parts[i].desired.rdata, parts[i].ticket,
                     invalidated ? UpdateStatus::failed : status, !zones_);
            }
            // All or none, in one zone; but what is right already is so whatever the others cost.
            if (!zones_ && good + spent != parts.size() && good != 0)
                violate("a part of what belongs together");
        });
}

/// The record is deleted, and added, in one message or two; maybe another host's beside it.
void EngineModel::submit_script() {
    const Record record = random_record();
    if (backend_.hidden.contains(record.name.text())) return;  // scripts are not read back
    const std::string rdata = address(record.type, pick(1, 3));
    std::vector<dns::UpdateMessage> messages(1);
    messages.back().updates.push_back(
        {record.name, record.type, dns::UpdateRecord::Class::any, 0, {}});
    if (one_in(2)) messages.emplace_back();
    messages.back().updates.push_back(
        {record.name, record.type, dns::UpdateRecord::Class::in, 30, rdata});
    const bool whole = messages.size() == 1;  // else somebody's edit may come between
    const Record other = random_record();
    if (one_in(4) && other.name != record.name) {
        state(other).unsure = true;
        messages.back().updates.push_back(
            {other.name, other.type, dns::UpdateRecord::Class::any, 0, {}});
    }
    const std::uint64_t ticket = accept(record);
    const HostId host = hosts_.number(record.name);
    engine_->submit_messages(
        {host, record.type}, std::move(messages),
        [this, record, rdata, ticket, whole, host](UpdateOutcome outcome) {
            ++counts_.scripts_told;
            if (outcome.status == UpdateStatus::committed) count_paid(host);
            tell(record, rdata, ticket, outcome.status, whole);
        },
        one_in(2) ? rdata : std::string());
}

void EngineModel::reconfigure() {
    limits_.timeout = std::chrono::seconds(pick(1, 8));
    limits_.updates_in_flight = pick(1, 2);
    limits_.queries_in_flight = pick(1, 4);
    engine_->reconfigure(limits_, one_in(2));
    second_engine_->reconfigure(limits_, one_in(2));
}

/// Another server, which serves something else, is asked from now on.
void EngineModel::change_servers() {
    ++counts_.server_changes;
    backend_.server = pick(0, 2);
    for (auto& [key, state] : states_) {
        state.edited = false;
        state.told_here = false;
    }
    replaced_.clear();
    engine_->reconfigure(limits_, true);
    second_engine_->reconfigure(limits_, true);
}

/// Somebody else changes a record.
void EngineModel::edit() {
    ++counts_.edits;
    const Record record = random_record();
    const bool is_hidden = backend_.hidden.contains(record.name.text());
    const unsigned number = is_hidden || one_in(2) ? 0x7f : pick(1, 3);
    const std::vector<std::string> now{address(record.type, number)};
    if (one_in(2)) return backend_.edit(record.name, record.type, now);
    // Until the next UPDATE, the edit waits at the server.
    ++counts_.edits_beside;
    backend_.edit_beside_update(record.name, record.type, now);
}

void EngineModel::on_change(const FakeBackend::RecordKey& key,
                            const std::vector<std::string>& before, unsigned node) {
    replaced_[{key, before}] = now_;
    if (node != 0) states_[key].edited = true;
}

/// Somebody else has a PTR record at an address, or has it no more.
void EngineModel::edit_pointer() {
    const dns::Type type = one_in(2) ? dns::Type::a : dns::Type::aaaa;
    const dns::Name owner = dns::reverse_name(*dns::address_of(type, address(type, pick(1, 3))));
    const std::pair place(backend_.server, std::string(owner.bytes()));
    if (foreign_pointers_.erase(place) != 0) {
        backend_.edit(owner, dns::Type::ptr, {});
    } else if (backend_.served(owner, dns::Type::ptr).empty()) {
        backend_.edit(owner, dns::Type::ptr, {foreign_name});
        foreign_pointers_.insert(place);
    }
}

// --- what the servers do

/// A PTR record is only set where there is none, and only one's own is deleted.
void EngineModel::check_pointers(const FakeBackend::Update& update) {
    for (const dns::Change& change : update.changes) {
        if (change.type != dns::Type::ptr) continue;
        if (change.kind != dns::ChangeKind::claim && change.kind != dns::ChangeKind::remove_record)
            violate("a PTR record may be another's");
        if (change.rdata == foreign_name) violate("another's PTR record");
        counts_.pointers_set += change.kind == dns::ChangeKind::claim;
    }
}

void EngineModel::answer_update() {
    if (backend_.updates.empty()) return;
    const std::size_t which = pick(0, static_cast<unsigned>(backend_.updates.size()) - 1);
    auto update = std::move(backend_.updates[which]);
    backend_.updates.erase(backend_.updates.begin() + static_cast<std::ptrdiff_t>(which));
    check_pointers(update);
    const auto failure = FakeBackend::failure(dns::ErrorKind::connection);
    switch (pick(0, 11)) {
        case 0:  // not sent, at any address of the server
            update.done(FakeBackend::failure(dns::ErrorKind::unreachable));
            return update.resolved();
        case 1:  // lost on its way there; the connection ended
            update.done(failure);
            return update.resolved();
        case 2:  // carried out, the answer lost; the connection ended
            backend_.carry_out(update);
            update.done(failure);
            return update.resolved();
        case 3:  // late, maybe carried out after all
            update.done(FakeBackend::failure(dns::ErrorKind::timeout));
            in_doubt_.push_back(std::move(update));
            return;
        case 4:  // lost with its connection, maybe carried out, and sent again at another address
            ++counts_.sent_again;
            if (one_in(2)) backend_.carry_out(update);
            return backend_.updates.push_front(std::move(update));
        default:
            return backend_.answer(update);
    }
}

void EngineModel::resolve_one() {
    if (backend_.hold_contacts) return finish_earlier_process();
    if (in_doubt_.empty()) return;
    auto update = std::move(in_doubt_.back());
    in_doubt_.pop_back();
    if (one_in(2)) {
        ++counts_.late;
        backend_.carry_out(update);
    }
    update.resolved();
}

/// What an earlier process has sent is carried out, or can't be any more.
void EngineModel::finish_earlier_process() {
    if (one_in(4)) return backend_.make_contact();
    ++counts_.of_earlier_process;
    const Record record = random_record();
    backend_.served(record.name, record.type) = {address(record.type, pick(1, 3))};
}

void EngineModel::answer_query() {
    if (backend_.queries.empty()) return;
    const std::size_t which = pick(0, static_cast<unsigned>(backend_.queries.size()) - 1);
    if (!backend_.queries[which].read && one_in(3)) {  // its answer is on its way for a while
        backend_.queries[which].read = backend_.read(backend_.queries[which]);
        return;
    }
    auto query = std::move(backend_.queries[which]);
    backend_.queries.erase(backend_.queries.begin() + static_cast<std::ptrdiff_t>(which));
    if (one_in(10)) return query.done(FakeBackend::failure(dns::ErrorKind::timeout));
    backend_.answer(query);
}

void EngineModel::answer_serial() {
    auto& queries = backend_.serial_queries;
    if (queries.empty()) return;
    ++counts_.serials_read;
    const std::size_t which = pick(0, static_cast<unsigned>(queries.size()) - 1);
    if (!queries[which].read && one_in(2)) {
        queries[which].read = backend_.read(queries[which]);
        return;
    }
    const auto query = std::move(queries[which]);
    queries.erase(queries.begin() + static_cast<std::ptrdiff_t>(which));
    if (no_serials_ || one_in(10)) return query.done(FakeBackend::failure(dns::ErrorKind::timeout));
    backend_.answer(query);
}

// --- what is told

void EngineModel::tell(const Record& record, const std::string& rdata, std::uint64_t ticket,
                       UpdateStatus status, bool is_whole) {
    const auto request = open_.extract(ticket);
    if (request.empty()) return violate("told twice");
    HostState& told = state(record);
    const bool is_hidden = backend_.hidden.contains(record.name.text());
    counts_.hidden_told += is_hidden && status == UpdateStatus::failed;
    if (status != UpdateStatus::committed && status != UpdateStatus::unchanged) {
        told.failed = std::max(told.failed, ticket);
        counts_.over_budget += status == UpdateStatus::over_budget;
        counts_.turned_away += status == UpdateStatus::overloaded && !accepting_;
        return;
    }
    ++counts_.truths;
    if (is_whole) check_was_served(record, rdata, request.mapped().began);
    counts_.removals_told += rdata.empty();
    const bool is_served = backend_.served(record.name, record.type) == records_of(rdata);
    // Who changes it writes it whole, whatever others did before; what they did since, while it was
    // read back, stays.
    if (status == UpdateStatus::committed && is_whole && is_served) told.edited = false;
    // It must be so at this very moment, unless somebody else has changed it; or a later desired
    // record is at work already, where it may be told late.
    const bool is_last = is_whole || ticket == told.last_accepted;
    if (is_last && !told.edited && !is_served)
        violate("what is told is not served: " + record.name.text());
    // Answers of one host come in the order of its desired records; but what belongs together in
    // two zones is told when the later zone is done.
    if (ticket < told.told) {
        if (!zones_) violate("told out of order");
        return;
    }
    told.told = ticket;
    told.told_here = true;
    told.told_rdata = rdata;
}

void EngineModel::check_was_served(const Record& record, const std::string& rdata,
                                   base::TimePoint began) {
    const auto expected = records_of(rdata);
    if (backend_.served(record.name, record.type) == expected) return;
    const auto found = replaced_.find({record.key(), expected});
    if (found == replaced_.end() || found->second < began - limits_.freshness)
        violate("what is told was not served at any time since: " + record.name.text());
}

void EngineModel::count_paid(HostId host) {
    if (limits_.changes_burst == 0) return;
    const auto refilled = static_cast<unsigned>((now_ - begun_) / limits_.changes_refill);
    if (++paid_[host] > limits_.changes_burst + refilled) violate("more changes than the budget");
}

void EngineModel::check_deadlines() {
    for (const auto& [ticket, request] : open_) {
        if (request.deadline <= now_) violate("not answered within the timeout");
    }
}

void EngineModel::check_served() {
    auto& served = backend_.records[backend_.server];
    for (const auto& [key, state] : states_) {
        if (!state.told_here || state.told != state.last_accepted || state.edited || state.unsure)
            continue;
        if (served[key] != records_of(state.told_rdata)) violate("what was told is served no more");
    }
}

void EngineModel::end() {
    backend_.refused.clear();
    backend_.make_contact();
    while (!in_doubt_.empty()) resolve_one();
    backend_.run();
    // What is read back is asked for again, and PTR records follow what was seen then.
    for (int round = 0; round < 3; ++round) {
        now_ += 10s;
        engine_->tick();
        second_engine_->tick();
        while (!backend_.updates.empty() || !backend_.queries.empty() ||
               !backend_.serial_queries.empty() || !backend_.queue.empty())
            backend_.run();
    }
    EXPECT_TRUE(open_.empty());
    EXPECT_FALSE(engine_->busy());
    EXPECT_EQ(engine_->slots(), 0U);
    EXPECT_EQ(second_engine_->slots(), 0U);
    EXPECT_EQ(engine_->deadlines(), 0U);
    check_served();
    for (const auto& [server, owner] : foreign_pointers_) {
        EXPECT_THAT((backend_.records[server][{owner, dns::Type::ptr}]),
                    testing::ElementsAre(foreign_name));
    }
}

}  // namespace sftdyn::update
