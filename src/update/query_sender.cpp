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

// How long a reverse name that no zone of the server's holds is remembered, and how many are.
constexpr base::Duration refusal_memory = std::chrono::minutes(5);
constexpr std::size_t most_refusals = 1000;

const dns::Record* find(const std::vector<dns::Record>& records, Type type) {
    const auto found = std::find_if(records.begin(), records.end(),
                                    [type](const auto& record) { return record.type == type; });
    return found == records.end() ? nullptr : &*found;
}

/// The zone that a SOA query's answer tells (RFC 2136 §7, as nsupdate does); absent: it tells none.
std::optional<Name> zone_in(const dns::Answer& answer, const Name& name) {
    if (!answer.authoritative ||
        (answer.rcode != KNOT_RCODE_NOERROR && answer.rcode != KNOT_RCODE_NXDOMAIN))
        return std::nullopt;
    if (find(answer.answers, Type::cname) != nullptr) return std::nullopt;
    const dns::Record* soa = find(answer.answers, Type::soa);
    if (soa == nullptr) soa = find(answer.authority, Type::soa);
    if (soa == nullptr || !name.is_within(soa->owner)) return std::nullopt;
    return soa->owner;
}

bool is_reverse(const Name& name) {
    static const Name arpa = Name::parse("arpa").value();
    return name.is_within(arpa);
}

dns::DnsResult<std::vector<std::string>> served(const dns::Answer& answer, const Name& name,
                                                Type type, const std::string& server) {
    const std::string what = fmt::format("the {} query for {}", dns::type_text(type), name.text());
    if (answer.rcode != KNOT_RCODE_NOERROR && answer.rcode != KNOT_RCODE_NXDOMAIN)
        return dns::rcode_failure(answer.rcode, server, what);
    if (!answer.authoritative) {
        return DnsError{dns::ErrorKind::no_zone, 0, server,
                        fmt::format("the DNS server's answer to {} is not authoritative", what),
                        "sftdyn must talk to the zone's primary server, not to a resolver"};
    }
    std::vector<std::string> out;
    for (const auto& record : answer.answers) {
        if (record.owner != name) continue;
        if (record.type == Type::cname) {
            return DnsError{
                dns::ErrorKind::cname_conflict, 0, server,
                fmt::format("{} is a CNAME", name.text()),
                "a name with a CNAME can't have an address: remove the CNAME, or use another name"};
        }
        if (record.type == type) out.push_back(record.rdata);
    }
    return out;
}

DnsError zone_not_served(const Name& name, const std::string& server, const std::string& answer) {
    return {dns::ErrorKind::no_zone, 0, server,
            fmt::format("the DNS server serves no zone that holds {} (it answered {})", name.text(),
                        answer),
            "add the zone to the DNS server, or correct the host's name"};
}

}  // namespace

struct QuerySender::Query {
    ServerGroupPtr group;
    Name name;
    Type type;
    base::TimePoint deadline;
    std::function<void(dns::Reply, const std::string& server)> done;
    std::vector<std::size_t> order;
    std::size_t tried = 0;
};

struct QuerySender::Search {
    Name wanted;
    Name candidate;
    base::TimePoint deadline;
    Backend::Done<Name> done;
    std::string last_answer{};
};

void QuerySender::ask(const std::shared_ptr<Query>& query) {
    ServerGroup::GroupServer& member = query->group->members[query->order[query->tried]];
    const auto deadline = share(time_->now(), query->deadline, query->order.size() - query->tried);
    member.server->query(query->name, query->type, deadline,
                         [this, query, &member](dns::Reply reply) {
                             engine_thread.assert_held();
                             if (reply.has_error() && is_outage(reply.error())) {
                                 member.avoid(time_->now());
                                 if (++query->tried < query->order.size()) return ask(query);
                             }
                             query->done(std::move(reply), member.server->name());
                         });
}

void QuerySender::find_zone(const Name& name, base::TimePoint deadline, Backend::Done<Name> done) {
    const auto group = groups_.of(name);
    if (!group || group->config.zone) {
        dns::DnsResult<Name> outcome = group ? dns::DnsResult<Name>(*group->config.zone)
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
    step(std::make_shared<Search>(Search{name, name, deadline, std::move(done)}));
}

void QuerySender::step(const std::shared_ptr<Search>& search) {
    const auto group = groups_.of(search->wanted);
    if (!group) return search->done(no_server(search->wanted));
    auto query = std::make_shared<Query>(Query{
        group, search->candidate, Type::soa, search->deadline, {}, group->order(time_->now())});
    query->done = [this, search](const dns::Reply& reply, const std::string& server) {
        engine_thread.assert_held();
        if (reply.has_error()) return search->done(reply.error());
        if (const auto zone = zone_in(*reply, search->candidate)) return search->done(*zone);
        if (reply->rcode == KNOT_RCODE_SERVFAIL || reply->rcode == KNOT_RCODE_FORMERR ||
            reply->rcode == KNOT_RCODE_NOTIMPL) {
            return search->done(
                dns::rcode_failure(reply->rcode, server,
                                   fmt::format("the SOA query for {}", search->candidate.text())));
        }
        if (search->last_answer.empty()) search->last_answer = dns::rcode_text(reply->rcode);
        // A server that refuses the name itself has no zone above it either; a reverse name has up
        // to 33 parents to ask for.
        const bool hopeless = reply->rcode == KNOT_RCODE_REFUSED && is_reverse(search->wanted);
        search->candidate = search->candidate.parent();
        if (!hopeless && !search->candidate.is_root()) return step(search);
        if (hopeless) {
            if (no_zone_until_.size() >= most_refusals) no_zone_until_.clear();
            no_zone_until_[search->wanted] = time_->now() + refusal_memory;
        }
        search->done(zone_not_served(search->wanted, server, search->last_answer));
    };
    ask(query);
}

void QuerySender::look_up(const Name& zone, const Name& name, Type type, base::TimePoint deadline,
                          Backend::Done<std::vector<std::string>> done) {
    const auto group = groups_.of(zone);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), zone] { done(no_server(zone)); });
        return;
    }
    auto query =
        std::make_shared<Query>(Query{group, name, type, deadline, {}, group->order(time_->now())});
    query->done = [name, type, done = std::move(done)](const dns::Reply& reply,
                                                       const std::string& server) {
        if (reply.has_error()) return done(reply.error());
        done(served(*reply, name, type, server));
    };
    ask(query);
}

}  // namespace sftdyn::update
