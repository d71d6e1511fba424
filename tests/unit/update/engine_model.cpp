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
    limits_.verify_interval = one_in(2) ? 300s : 0s;
    limits_.read_back = one_in(2);
    if (limits_.read_back && one_in(2)) backend_.hidden.insert(name_of(pick(0, 5)).text());
    edits_ = one_in(3);
    reverse_ = one_in(2);
    zones_ = one_in(3);
    if (reverse_) {
        for (const char* zone : {"in-addr.arpa", "ip6.arpa"})
            backend_.zones.push_back(dns::Name::parse(zone).value());
    }
    backend_.hold_contacts = one_in(3);
    if (zones_) backend_.zones.insert(backend_.zones.begin(), name_of(4));
    engine_ = std::make_unique<Engine>(
        backend_, hosts_, known_, limits_, [this] { return now_; },
        [](const dns::Name&, dns::Type, const dns::DnsError&) {});
}

void EngineModel::run(unsigned steps) {
    for (unsigned step = 0; step < steps; ++step) one_step();
    end();
}

void EngineModel::one_step() {
    switch (pick(0, 19)) {
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
            return check_deadlines();
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
    open_[ticket] = now_ + limits_.timeout;
    return ticket;
}

void EngineModel::submit() {
    const Record record = random_record();
    const DesiredRecord desired = random_desired(record);
    const std::uint64_t ticket = accept(record);
    // As the HTTP side does: what is known and fresh is answered without the engine.
    if (known_.is_served(desired.rrset, desired.rdata, now_ - limits_.verify_interval))
        return tell(record, desired.rdata, ticket, UpdateStatus::unchanged);
    engine_->submit(desired, [this, record, desired, ticket](UpdateOutcome outcome) {
        if (outcome.status == UpdateStatus::committed) count_paid(desired.rrset.host);
        tell(record, desired.rdata, ticket, outcome.status);
    });
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
}

/// Another server, which serves something else, is asked from now on.
void EngineModel::change_servers() {
    ++counts_.server_changes;
    backend_.server = pick(0, 2);
    for (auto& [key, state] : states_) {
        state.edited = false;
        state.told_here = false;
    }
    engine_->reconfigure(limits_, true);
}

/// Somebody else changes a record.
void EngineModel::edit() {
    ++counts_.edits;
    const Record record = random_record();
    backend_.served(record.name, record.type) = {address(record.type, 0x7f)};
    state(record).edited = true;
}

/// Somebody else has a PTR record at an address, or has it no more.
void EngineModel::edit_pointer() {
    const dns::Type type = one_in(2) ? dns::Type::a : dns::Type::aaaa;
    const dns::Name owner = dns::reverse_name(*dns::address_of(type, address(type, pick(1, 3))));
    const std::pair place(backend_.server, std::string(owner.bytes()));
    auto& served = backend_.served(owner, dns::Type::ptr);
    if (foreign_pointers_.erase(place) != 0) {
        served.clear();
    } else if (served.empty()) {
        served = {foreign_name};
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
    auto query = std::move(backend_.queries[which]);
    backend_.queries.erase(backend_.queries.begin() + static_cast<std::ptrdiff_t>(which));
    if (one_in(10)) return query.done(FakeBackend::failure(dns::ErrorKind::timeout));
    backend_.answer(query);
}

// --- what is told

void EngineModel::tell(const Record& record, const std::string& rdata, std::uint64_t ticket,
                       UpdateStatus status, bool is_whole) {
    if (open_.erase(ticket) == 0) violate("told twice");
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
    counts_.removals_told += rdata.empty();
    // Who changes it writes it whole, whatever others did before.
    if (status == UpdateStatus::committed && is_whole) told.edited = false;
    // It must be so at this very moment, unless somebody edited the zone within the verify
    // interval; or a later desired record is at work already, where it may be told late.
    const bool is_last = is_whole || ticket == told.last_accepted;
    if (is_last && !told.edited && backend_.served(record.name, record.type) != records_of(rdata))
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

void EngineModel::count_paid(HostId host) {
    if (limits_.changes_burst == 0) return;
    const auto refilled = static_cast<unsigned>((now_ - begun_) / limits_.changes_refill);
    if (++paid_[host] > limits_.changes_burst + refilled) violate("more changes than the budget");
}

void EngineModel::check_deadlines() {
    for (const auto& [ticket, deadline] : open_) {
        if (deadline <= now_) violate("not answered within the timeout");
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
        while (!backend_.updates.empty() || !backend_.queries.empty() || !backend_.queue.empty())
            backend_.run();
    }
    EXPECT_TRUE(open_.empty());
    EXPECT_FALSE(engine_->busy());
    EXPECT_EQ(engine_->slots(), 0U);
    EXPECT_EQ(engine_->deadlines(), 0U);
    check_served();
    for (const auto& [server, owner] : foreign_pointers_) {
        EXPECT_THAT((backend_.records[server][{owner, dns::Type::ptr}]),
                    testing::ElementsAre(foreign_name));
    }
}

}  // namespace sftdyn::update
