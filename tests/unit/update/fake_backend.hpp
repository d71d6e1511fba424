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
    };
    struct Query {
        dns::Name name;
        dns::Type type;
        Done<ServedRecords> done;
        unsigned server = 0;
    };
    using Records = std::map<std::pair<std::string, dns::Type>, std::vector<std::string>>;

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
        queries.push_back({name, type, std::move(done), server});
        most_queries = std::max(most_queries, queries.size());
    }

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

    /// What the server answers, and does, to an update.
    std::uint16_t carry_out(const Update& update) {
        Records& own = records[update.server];
        for (const auto& change : update.changes) {
            if (refused.contains(change.owner.text())) return KNOT_RCODE_REFUSED;
            if (change.kind == dns::ChangeKind::claim &&
                !own[{change.owner.bytes(), change.type}].empty())
                return KNOT_RCODE_YXRRSET;
        }
        if (update.message) return carry_out(*update.message, own);
        for (const auto& change : update.changes) {
            if (hidden.contains(change.owner.text())) continue;
            auto& set = own[{change.owner.bytes(), change.type}];
            ttls[update.server][{change.owner.bytes(), change.type}] = change.ttl;
            if (change.kind == dns::ChangeKind::remove_record) {
                std::erase(set, change.rdata);
            } else {
                set.clear();
                if (change.kind != dns::ChangeKind::remove) set.push_back(change.rdata);
            }
        }
        return KNOT_RCODE_NOERROR;
    }

    /// Additions and deletions of whole RRsets only.
    std::uint16_t carry_out(const dns::UpdateMessage& message, Records& own) {
        for (const auto& record : message.updates) {
            if (refused.contains(record.owner.text())) return KNOT_RCODE_REFUSED;
        }
        for (const auto& record : message.updates) {
            if (hidden.contains(record.owner.text())) continue;
            auto& set = own[{record.owner.bytes(), record.type}];
            if (record.rclass == dns::UpdateRecord::Class::any) set.clear();
            const bool is_new = std::find(set.begin(), set.end(), record.rdata) == set.end();
            if (record.rclass == dns::UpdateRecord::Class::in && is_new) {
                set.push_back(record.rdata);
                ttls[server][{record.owner.bytes(), record.type}] = record.ttl;
            }
        }
        return KNOT_RCODE_NOERROR;
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

    void answer(const Query& query) {
        const std::pair key(query.name.bytes(), query.type);
        const auto& known = ttls[query.server];
        const auto ttl = known.find(key);
        query.done(ServedRecords{.rdata = records[query.server][key],
                                 .ttl = ttl == known.end() ? usual_ttl : ttl->second});
    }

    /// The oldest that is not answered; there must be one.
    const Update& next_update() const { return updates.at(0); }
    Update take_update() {
        static_cast<void>(next_update());
        Update update = std::move(updates.front());
        updates.pop_front();
        return update;
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
    dns::Name last_zone;  ///< of an UPDATE
    base::TimePoint last_deadline{};
    std::deque<Query> queries;
    std::deque<Update> updates;
    std::vector<std::size_t> batch_sizes;
    std::size_t most_queries = 0;
    unsigned searches = 0;
    unsigned contacts = 0;
    unsigned lookups = 0;
};

}  // namespace sftdyn::update
