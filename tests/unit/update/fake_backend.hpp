// SPDX-License-Identifier: GPL-3.0-or-later
// DNS servers in memory, whose answers come when the test says so. One of them is asked; which one,
// a new configuration may change.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "dns/knot.hpp"
#include "update/backend.hpp"

namespace sftdyn::update {

class FakeBackend : public Backend {
public:
    struct Update {
        dns::Name zone;
        std::vector<dns::Change> changes;
        Done<dns::Answer> done;
        std::function<void()> resolved;
        std::optional<dns::UpdateMessage> message{};  ///< it is one, and `changes` is empty
        unsigned server = 0;                          ///< that it was sent to
        unsigned node = 0;                            ///< that has sent it
    };
    struct Query {
        dns::Name name;
        dns::Type type;
        Done<ServedRecords> done;
        unsigned server = 0;
        std::optional<ServedRecords> read{};  ///< the answer, once the server has read the query
    };
    struct SerialQuery {
        dns::Name zone;
        Done<SerialReading> done;
        unsigned server = 0;
        std::optional<std::uint32_t> read{};  ///< as above
    };
    using RecordKey = std::pair<std::string, dns::Type>;
    using Records = std::map<RecordKey, std::vector<std::string>>;
    /// How a server raises the serial.
    enum class Serials : std::uint8_t {
        each_change,  ///< by one, for each UPDATE that changes something
        each_update,  ///< by one, for each UPDATE
        jumping       ///< by more than one, for each UPDATE that changes something
    };

    void find_zone(const dns::Name& name, base::TimePoint deadline, Done<dns::Name> done) override {
        last_deadline = deadline;
        ++searches;
        queue.push_back([this, name, done = std::move(done)] {
            for (const auto& zone : zones) {
                if (name.is_within(zone)) return done(zone);
            }
            done(dns::DnsError{dns::ErrorKind::no_zone, 0, "fake", "no zone", ""});
        });
    }

    void look_up(const dns::Name&, const dns::Name& name, dns::Type type, base::TimePoint deadline,
                 Done<ServedRecords> done) override {
        last_deadline = deadline;
        ++lookups;
        ++lookups_of[name.text()];
        queries.push_back({name, type, std::move(done), server});
        most_queries = std::max(most_queries, queries.size());
    }

    void read_serial(const dns::Name& zone, base::TimePoint deadline,
                     Done<SerialReading> done) override {
        last_deadline = deadline;
        ++serial_readings;
        serial_queries.push_back({zone, std::move(done), server});
    }

    [[nodiscard]] bool answers_queries(const dns::Name&) const override { return is_answering; }

    void apply(const dns::Name& zone, dns::UpdateContent content, base::TimePoint deadline,
               Done<dns::Answer> done, std::function<void()> resolved) override {
        last_deadline = deadline;
        last_zone = zone;
        if (auto* message = std::get_if<dns::UpdateMessage>(&content)) {
            updates.push_back(
                {zone, {}, std::move(done), std::move(resolved), std::move(*message), server});
            return;
        }
        auto& changes = std::get<std::vector<dns::Change>>(content);
        batch_sizes.push_back(changes.size());
        updates.push_back(
            {zone, std::move(changes), std::move(done), std::move(resolved), {}, server});
    }

    void contact(const dns::Name&, std::function<void()> resolved) override {
        ++contacts;
        (hold_contacts ? held_contacts : queue).push_back(std::move(resolved));
    }
    void make_contact() {
        hold_contacts = false;
        for (auto& contact : std::exchange(held_contacts, {})) queue.push_back(std::move(contact));
    }

    /// A fence has failed.
    void block(const dns::DnsError& failure) const { on_blocked_(zones.front(), failure); }

    /// What the server that is asked now serves; it may be changed.
    std::vector<std::string>& served(const dns::Name& name, dns::Type type) {
        return records[server][{name.bytes(), type}];
    }

    /// What the server answers, and does, to an update. The edit beside it is made in the same
    /// version of the zone.
    std::uint16_t carry_out(const Update& update) {
        if (const std::uint16_t rcode = refusal(update); rcode != KNOT_RCODE_NOERROR) return rcode;
        const Records own = wanted(update);
        Records result = own;
        if (beside_update && update.zone == zone_beside) std::exchange(beside_update, {})(result);
        bool has_changed = false;
        for (const auto& [key, records_of_key] : result) {
            auto& set = records[update.server][key];
            if (set == records_of_key) continue;
            has_changed = true;
            on_change(update.server, key, set, own.contains(key) ? update.node : somebody_else);
            set = records_of_key;
        }
        if (has_changed || serials == Serials::each_update) raise(update.server, update.zone);
        return KNOT_RCODE_NOERROR;
    }

    /// Somebody else changes an RRset.
    void edit(const dns::Name& name, dns::Type type, std::vector<std::string> now) {
        auto& set = served(name, type);
        if (set == now) return;
        on_change(server, {name.bytes(), type}, set, somebody_else);
        set = std::move(now);
        raise(server, zone_of(name));
    }
    /// As `edit`, in the same version as the next update of the zone, unless that has the RRset.
    void edit_beside_update(const dns::Name& name, dns::Type type, std::vector<std::string> now) {
        zone_beside = zone_of(name);
        beside_update = [key = RecordKey(name.bytes(), type),
                         now = std::move(now)](Records& result) { result.try_emplace(key, now); };
    }
    [[nodiscard]] dns::Name zone_of(const dns::Name& name) const {
        const auto found = std::find_if(zones.begin(), zones.end(),
                                        [&](const auto& zone) { return name.is_within(zone); });
        return found == zones.end() ? dns::Name() : *found;
    }

    static dns::DnsError failure(dns::ErrorKind kind) {
        return {kind, 0, "fake", "as the test says", ""};
    }

    void answer(const Update& update) {
        const std::uint16_t rcode = carry_out(update);
        if (rcode == KNOT_RCODE_NOERROR) {
            update.done(dns::Answer{});
        } else {
            update.done(dns::rcode_failure(rcode, "fake", "it"));
        }
        update.resolved();
    }

    ServedRecords read(const Query& query) {
        const std::pair key(query.name.bytes(), query.type);
        const auto& known = ttls[query.server];
        const auto ttl = known.find(key);
        return {.rdata = records[query.server][key],
                .ttl = ttl == known.end() ? usual_ttl : ttl->second,
                .source = source};
    }
    std::uint32_t read(const SerialQuery& query) {
        return serial_numbers[{query.server, query.zone.bytes()}];
    }
    void answer(const Query& query) { query.done(query.read ? *query.read : read(query)); }
    void answer(const SerialQuery& query) {
        query.done(SerialReading{query.read ? *query.read : read(query), source});
    }

    /// The oldest that is not answered; there must be one.
    const Update& next_update() const { return updates.at(0); }
    Update take_update() {
        static_cast<void>(next_update());
        Update update = std::move(updates.front());
        updates.pop_front();
        return update;
    }
    SerialQuery take_serial_query() {
        static_cast<void>(serial_queries.at(0));
        SerialQuery query = std::move(serial_queries.front());
        serial_queries.pop_front();
        return query;
    }
    Query take_query() {
        static_cast<void>(queries.at(0));
        Query query = std::move(queries.front());
        queries.pop_front();
        return query;
    }

    /// Answers everything, until nothing is left.
    void run() {
        for (;;) {
            if (!queue.empty()) {
                const auto work = std::move(queue.front());
                queue.pop_front();
                work();
            } else if (!serial_queries.empty()) {
                answer(take_serial_query());
            } else if (!queries.empty()) {
                answer(take_query());
            } else if (!updates.empty()) {
                answer(take_update());
            } else {
                return;
            }
        }
    }
    /// Answers the searches for zones.
    void run_searches() {
        while (!queue.empty()) {
            const auto work = std::move(queue.front());
            queue.pop_front();
            work();
        }
    }
    void run_queries() {
        run_searches();
        while (!queries.empty()) answer(take_query());
    }

    std::vector<dns::Name> zones{dns::Name::parse("dyn.example.org").value()};
    unsigned server = 0;                  ///< that is asked now
    std::map<unsigned, Records> records;  ///< by server
    std::map<unsigned, std::map<std::pair<std::string, dns::Type>, std::uint32_t>> ttls;
    std::uint32_t usual_ttl = 0;  ///< of what was not set by an update
    std::set<std::string> refused;
    std::set<std::string> hidden;  ///< confirmed, and not done
    std::deque<std::function<void()>> queue;
    std::deque<std::function<void()>> held_contacts;
    bool hold_contacts = false;
    bool is_answering = true;  ///< it answers queries
    unsigned source = 1;       ///< the address that answers
    Serials serials = Serials::each_change;
    std::map<std::pair<unsigned, std::string>, std::uint32_t> serial_numbers;  ///< by server, zone
    std::deque<SerialQuery> serial_queries;
    unsigned serial_readings = 0;
    /// Changes, once, what the next update of this zone results in.
    std::function<void(Records& result)> beside_update;
    dns::Name zone_beside;
    static constexpr unsigned somebody_else = ~0U;
    /// Called before an RRset changes, with the node that changes it.
    std::function<void(unsigned server, const RecordKey&, const std::vector<std::string>& before,
                       unsigned node)>
        on_change = [](unsigned, const RecordKey&, const std::vector<std::string>&, unsigned) {};
    dns::Name last_zone;  ///< of an UPDATE
    base::TimePoint last_deadline{};
    std::deque<Query> queries;
    std::deque<Update> updates;
    std::vector<std::size_t> batch_sizes;
    std::size_t most_queries = 0;
    unsigned searches = 0;
    unsigned contacts = 0;
    unsigned lookups = 0;
    std::map<std::string, unsigned> lookups_of;  ///< by name

private:
    void raise(unsigned of_server, const dns::Name& zone) {
        serial_numbers[{of_server, zone.bytes()}] += serials == Serials::jumping ? 1000 : 1;
    }
    std::uint16_t refusal(const Update& update) {
        const Records& own = records[update.server];
        for (const auto& change : update.changes) {
            if (refused.contains(change.owner.text())) return KNOT_RCODE_REFUSED;
            const auto found = own.find({change.owner.bytes(), change.type});
            if (change.kind == dns::ChangeKind::claim && found != own.end() &&
                !found->second.empty())
                return KNOT_RCODE_YXRRSET;
        }
        if (!update.message) return KNOT_RCODE_NOERROR;
        for (const auto& record : update.message->updates) {
            if (refused.contains(record.owner.text())) return KNOT_RCODE_REFUSED;
        }
        return KNOT_RCODE_NOERROR;
    }
    /// The RRsets that the update touches, as it leaves them.
    Records wanted(const Update& update) {
        Records result;
        const auto set_of = [&](const RecordKey& key) -> std::vector<std::string>& {
            return result.try_emplace(key, records[update.server][key]).first->second;
        };
        for (const auto& change : update.changes) {
            if (hidden.contains(change.owner.text())) continue;
            const RecordKey key(change.owner.bytes(), change.type);
            auto& set = set_of(key);
            ttls[update.server][key] = change.ttl;
            if (change.kind == dns::ChangeKind::remove_record) {
                std::erase(set, change.rdata);
            } else {
                set.clear();
                if (change.kind != dns::ChangeKind::remove) set.push_back(change.rdata);
            }
        }
        if (!update.message) return result;
        // Additions and deletions of whole RRsets only.
        for (const auto& record : update.message->updates) {
            if (hidden.contains(record.owner.text())) continue;
            const RecordKey key(record.owner.bytes(), record.type);
            auto& set = set_of(key);
            if (record.rclass == dns::UpdateRecord::Class::any) set.clear();
            const bool is_new = std::find(set.begin(), set.end(), record.rdata) == set.end();
            if (record.rclass == dns::UpdateRecord::Class::in && is_new) {
                set.push_back(record.rdata);
                ttls[update.server][key] = record.ttl;
            }
        }
        return result;
    }
};

}  // namespace sftdyn::update
