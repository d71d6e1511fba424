// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/query_sender.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "dns/knot.hpp"

namespace sftdyn::update {
namespace {

using dns::DnsError;
using dns::Name;
using dns::Type;

// How long, and how many, reverse names are remembered that are in no zone of the server.
constexpr base::Duration refusal_memory = std::chrono::minutes(5);
constexpr std::size_t most_refusals = 1000;

// How long, and of how many siblings, the records are remembered.
constexpr base::Duration wildcard_memory = std::chrono::seconds(5);
constexpr std::size_t most_wildcards = 1000;

/// Whether the answer is conclusive: authoritative, or a referral. Otherwise another address is
/// tried.
bool knows(const dns::Answer& answer, const Name& name) {
    return is_authoritative(answer) || delegation_in(answer, name).has_value();
}

/// A sibling of `name` that has the same records if those of `name` are synthesized from a
/// wildcard; absent: no wildcard can apply. The sibling is `*.<parent>`: it is the wildcard, or is
/// synthesized from a wildcard above.
std::optional<Name> sibling_of(const Name& name, const Name& zone) {
    const std::string star("\x01*", 2);
    Name above = name.parent();
    if (name.bytes().starts_with(star)) above = above.parent();
    if (name.size() <= zone.size() || !above.is_within(zone)) return std::nullopt;
    if (above.size() + star.size() > KNOT_DNAME_MAXLEN) return std::nullopt;
    const std::string wire = star + above.bytes();
    return Name::from_wire(reinterpret_cast<const std::uint8_t*>(wire.data()));
}

dns::UpdateRecord absent(const Name& name, Type type) {
    return {name, type, dns::UpdateRecord::Class::none, 0, {}};
}

}  // namespace

/// The address of a server that has answered.
struct QuerySender::Asked {
    std::string name{};
    unsigned source = 0;  ///< see `ServedRecords`
};

struct QuerySender::Query {
    ServerGroupPtr group;
    Name name;
    Type type;
    base::TimePoint deadline;
    std::function<void(const dns::Reply&, const Asked& server)> done;
    std::vector<std::size_t> order;
    std::size_t tried = 0;
    std::optional<std::pair<dns::Reply, Asked>> unknowing{};  ///< the first, and its server
};

struct QuerySender::Search {
    ServerGroupPtr group;
    Name wanted;
    Name candidate;
    base::TimePoint deadline;
    Backend::Done<Name> done;
    std::string last_answer{};
    std::optional<Name> delegation{};

    /// The zone that is configured for the group.
    [[nodiscard]] std::optional<Name> configured() const {
        const auto& zone = group->config.zone;
        return zone && wanted.is_within(*zone) ? zone : std::nullopt;
    }
};

struct QuerySender::LookUp {
    ServerGroupPtr group;
    Name zone, name;
    Type type;
    base::TimePoint deadline;
    Backend::Done<ServedRecords> done;
    Asked server{};  ///< that answered
};

struct QuerySender::Wildcard {
    std::optional<dns::DnsResult<AnswerReading>> reading{};
    base::TimePoint at{};
    std::vector<WildcardDone> waiting{};
};

void QuerySender::ask(const std::shared_ptr<Query>& query) {
    const std::size_t place = query->order[query->tried];
    ServerGroup::GroupServer& member = query->group->members[place];
    const auto deadline = share(time_->now(), query->deadline, query->order.size() - query->tried);
    member.server->query(
        query->name, query->type, deadline, [this, query, &member, place](const dns::Reply& reply) {
            engine_thread.assert_held();
            const bool outage = reply.has_error() && is_outage(reply.error());
            if (outage) member.avoid(time_->now());
            const bool knowing = reply.has_error() ? !outage : knows(*reply, query->name);
            const Asked server{member.server->name(), static_cast<unsigned>(place) + 1};
            if (!knowing && reply.has_value() && !query->unknowing)
                query->unknowing.emplace(reply, server);
            if (!knowing && ++query->tried < query->order.size()) return ask(query);
            if (!knowing && query->unknowing)
                return query->done(query->unknowing->first, query->unknowing->second);
            query->done(reply, server);
        });
}

// --- the zone of a name

void QuerySender::find_zone(const Name& name, base::TimePoint deadline, Backend::Done<Name> done) {
    const auto group = groups_.of(name);
    if (!group || !group->config.queries) {
        const bool is_told = group && group->config.zone && name.is_within(*group->config.zone);
        dns::DnsResult<Name> outcome = is_told ? dns::DnsResult<Name>(*group->config.zone)
                                               : dns::DnsResult<Name>(no_server(name));
        boost::asio::post(
            io_, [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
        return;
    }
    if (const auto refused = no_zone_until_.find(name); refused != no_zone_until_.end()) {
        if (refused->second > time_->now()) {
            boost::asio::post(
                io_, [done = std::move(done), failure = zone_not_served(name, "", "REFUSED")] {
                    done(failure);
                });
            return;
        }
        no_zone_until_.erase(refused);
    }
    step(std::make_shared<Search>(Search{group, name, name, deadline, std::move(done)}));
}

void QuerySender::step(const std::shared_ptr<Search>& search) {
    auto query = std::make_shared<Query>(Query{search->group,
                                               search->candidate,
                                               Type::soa,
                                               search->deadline,
                                               {},
                                               search->group->order(time_->now())});
    query->done = [this, search](const dns::Reply& reply, const Asked& server) {
        engine_thread.assert_held();
        searched(search, reply, server.name);
    };
    ask(query);
}

void QuerySender::searched(const std::shared_ptr<Search>& search, const dns::Reply& reply,
                           const std::string& server) {
    if (reply.has_error()) return search->done(reply.error());
    if (const auto zone = zone_in(*reply, search->candidate))
        return conclude(search, *zone, server);
    if (reply->rcode == KNOT_RCODE_SERVFAIL || reply->rcode == KNOT_RCODE_FORMERR ||
        reply->rcode == KNOT_RCODE_NOTIMPL) {
        return search->done(dns::query_failure(
            reply->rcode, server, fmt::format("the SOA query for {}", search->candidate.text())));
    }
    if (!search->delegation) search->delegation = delegation_in(*reply, search->wanted);
    if (search->last_answer.empty()) search->last_answer = dns::rcode_text(reply->rcode);
    // A server that refuses the name itself has no zone above it either. A reverse name has up to
    // 33 parents, so they are not asked for.
    const bool hopeless = reply->rcode == KNOT_RCODE_REFUSED && is_reverse(search->wanted);
    search->candidate = search->candidate.parent();
    if (!hopeless && !search->candidate.is_root()) return step(search);
    if (hopeless) {
        if (no_zone_until_.size() >= most_refusals) no_zone_until_.clear();
        no_zone_until_[search->wanted] = time_->now() + refusal_memory;
    }
    search->done(zone_not_served(search->wanted, server, search->last_answer));
}

void QuerySender::conclude(const std::shared_ptr<Search>& search, const Name& zone,
                           const std::string& server) {
    if (search->delegation && search->delegation->is_within(zone))
        return search->done(delegated_away(search->wanted, *search->delegation, server));
    const auto configured = search->configured();
    if (configured && !zone.is_within(*configured))
        return search->done(zone_not_there(*configured, zone, server));
    search->done(zone);
}

// --- the serial of a zone

void QuerySender::read_serial(const Name& zone, base::TimePoint deadline,
                              Backend::Done<SerialReading> done) {
    const auto group = groups_.of(zone);
    if (!group || !group->config.queries) {
        boost::asio::post(io_, [done = std::move(done), zone] { done(no_server(zone)); });
        return;
    }
    auto query = std::make_shared<Query>(
        Query{group, zone, Type::soa, deadline, {}, group->order(time_->now())});
    query->done = [zone, done = std::move(done)](const dns::Reply& reply, const Asked& server) {
        if (reply.has_error()) return done(reply.error());
        const auto serial = serial_in(*reply, zone);
        if (!serial) return done(zone_not_served(zone, server.name, dns::rcode_text(reply->rcode)));
        done(SerialReading{*serial, server.source});
    };
    ask(query);
}

// --- the served records

void QuerySender::look_up(const Name& zone, const Name& name, Type type, base::TimePoint deadline,
                          Backend::Done<ServedRecords> done) {
    const auto group = groups_.of(zone);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), zone] { done(no_server(zone)); });
        return;
    }
    if (!group->config.queries) {
        boost::asio::post(io_,
                          [done = std::move(done)] { done(ServedRecords{.is_known = false}); });
        return;
    }
    const auto look_up =
        std::make_shared<LookUp>(LookUp{group, zone, name, type, deadline, std::move(done)});
    auto query =
        std::make_shared<Query>(Query{group, name, type, deadline, {}, group->order(time_->now())});
    query->done = [this, look_up](const dns::Reply& reply, const Asked& server) {
        engine_thread.assert_held();
        if (reply.has_error()) return look_up->done(reply.error());
        look_up->server = server;
        auto reading =
            read_served(*reply, look_up->zone, look_up->name, look_up->type, server.name);
        if (reading.has_error()) return look_up->done(reading.error());
        looked_up(look_up, std::move(*reading));
    };
    ask(query);
}

void QuerySender::finish(const LookUpPtr& look_up, ServedRecords records) {
    records.source = look_up->server.source;
    look_up->done(std::move(records));
}

void QuerySender::looked_up(const LookUpPtr& look_up, AnswerReading reading) {
    if (reading.has_cname) return ask_cname(look_up);
    const auto sibling = sibling_of(look_up->name, look_up->zone);
    if (reading.records.rdata.empty() || !sibling || look_up->type == Type::ptr)
        return finish(look_up, std::move(reading.records));
    ask_wildcard(look_up, *sibling,
                 [this, look_up,
                  records = std::move(reading.records)](const dns::DnsResult<AnswerReading>& made) {
                     engine_thread.assert_held();
                     if (made.has_error() && is_outage(made.error()))
                         return look_up->done(made.error());
                     if (made.has_error() || made->records != records)
                         return finish(look_up, records);
                     ask_own(look_up, records);
                 });
}

/// Queries the records of the sibling, once for all look-ups that need them.
void QuerySender::ask_wildcard(const LookUpPtr& look_up, const Name& sibling, WildcardDone done) {
    if (wildcards_.size() >= most_wildcards) wildcards_.clear();
    std::shared_ptr<Wildcard>& known = wildcards_[{sibling, look_up->type}];
    if (known && known->reading && known->at + wildcard_memory > time_->now())
        return done(*known->reading);
    if (known && !known->reading) return known->waiting.push_back(std::move(done));
    known = std::make_shared<Wildcard>();
    known->waiting.push_back(std::move(done));
    auto query = std::make_shared<Query>(Query{look_up->group,
                                               sibling,
                                               look_up->type,
                                               look_up->deadline,
                                               {},
                                               look_up->group->order(time_->now())});
    query->done = [this, wildcard = known, look_up, sibling](const dns::Reply& reply,
                                                             const Asked& server) {
        engine_thread.assert_held();
        dns::DnsResult<AnswerReading> reading = AnswerReading();
        if (reply.has_error()) {
            reading = reply.error();
        } else {
            reading = read_served(*reply, look_up->zone, sibling, look_up->type, server.name);
        }
        wildcard->at = time_->now();
        // A failed query is repeated by the next look-up.
        if (reading.has_error()) wildcard->at -= wildcard_memory;
        wildcard->reading = reading;
        for (const auto& told : std::exchange(wildcard->waiting, {})) told(reading);
    };
    ask(query);
}

/// Finds out whether the CNAME in the answer exists at the name.
void QuerySender::ask_cname(const LookUpPtr& look_up) {
    ask_prerequisite(look_up, {absent(look_up->name, Type::cname)}, [look_up](bool is_absent) {
        if (is_absent) return finish(look_up, ServedRecords());
        look_up->done(cname_at(look_up->name, look_up->server.name));
    });
}

/// Finds out whether the records, which the sibling has too, exist at the name.
void QuerySender::ask_own(const LookUpPtr& look_up, const ServedRecords& records) {
    std::vector<dns::UpdateRecord> prerequisites;  // RRset has exactly these (RFC 2136 §2.4.2)
    for (const std::string& rdata : records.rdata)
        prerequisites.push_back(
            {look_up->name, look_up->type, dns::UpdateRecord::Class::in, 0, rdata});
    ask_prerequisite(look_up, std::move(prerequisites), [look_up, records](bool is_own) {
        finish(look_up, is_own ? records : ServedRecords());
    });
}

/// Sends an UPDATE that changes nothing, so it is never in doubt. If the server refuses it, the
/// query's answer stands.
void QuerySender::ask_prerequisite(const LookUpPtr& look_up,
                                   std::vector<dns::UpdateRecord> prerequisites,
                                   const std::function<void(bool is_met)>& told) {
    const auto order = look_up->group->order(time_->now());
    dns::DnsServer& server = *look_up->group->members[order.front()].server;
    dns::UpdateMessage message;
    message.prerequisites = std::move(prerequisites);
    server.update(
        look_up->zone, message, look_up->deadline, look_up->deadline,
        [look_up, told](const dns::Reply& reply, dns::Delivery) {
            if (reply.has_value()) return told(true);
            const DnsError& failure = reply.error();
            if (!failure.is_refusal()) return look_up->done(failure);
            told(failure.rcode != KNOT_RCODE_NXRRSET && failure.rcode != KNOT_RCODE_YXRRSET &&
                 failure.rcode != KNOT_RCODE_NXDOMAIN && failure.rcode != KNOT_RCODE_YXDOMAIN);
        },
        [](const dns::Reply&, unsigned) {});
}

}  // namespace sftdyn::update
