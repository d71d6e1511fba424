#include "update/dns_backend.hpp"
#include "dns/knot.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

namespace sftdyn::update {
namespace {

using dns::Failure;
using dns::Name;
using dns::Type;

// A server that was down is asked after the others for this long.
constexpr base::Duration avoidance = std::chrono::seconds(15);

/// Another server may do better.
bool is_outage(const Failure& failure) {
    return failure.kind == Failure::Kind::unreachable || failure.kind == Failure::Kind::timeout || failure.kind == Failure::Kind::connection;
}

const dns::Record* find(const std::vector<dns::Record>& records, Type type) {
    const auto found = std::find_if(records.begin(), records.end(), [type](const auto& record) { return record.type == type; });
    return found == records.end() ? nullptr : &*found;
}

/// The zone that a SOA query's answer tells (RFC 2136 §7, as nsupdate does); absent: it tells none.
std::optional<Name> zone_in(const dns::Answer& answer, const Name& name) {
    if (!answer.authoritative || (answer.rcode != KNOT_RCODE_NOERROR && answer.rcode != KNOT_RCODE_NXDOMAIN)) return std::nullopt;
    if (find(answer.answers, Type::cname) != nullptr) return std::nullopt;
    const dns::Record* soa = find(answer.answers, Type::soa);
    if (soa == nullptr) soa = find(answer.authority, Type::soa);
    if (soa == nullptr || !name.is_within(soa->owner)) return std::nullopt;
    return soa->owner;
}

dns::Outcome<std::vector<std::string>> served(const dns::Answer& answer, const Name& name, Type type, const std::string& server) {
    const std::string what = fmt::format("the {} query for {}", dns::type_text(type), name.text());
    if (answer.rcode != KNOT_RCODE_NOERROR && answer.rcode != KNOT_RCODE_NXDOMAIN) return dns::rcode_failure(answer.rcode, server, what);
    if (!answer.authoritative) {
        return Failure{Failure::Kind::no_zone, 0, server, fmt::format("the DNS server's answer to {} is not authoritative", what),
                       "sftdyn must talk to the zone's primary server, not to a resolver"};
    }
    std::vector<std::string> out;
    for (const auto& record : answer.answers) {
        if (record.owner != name) continue;
        if (record.type == Type::cname) {
            return Failure{Failure::Kind::in_the_way, 0, server, fmt::format("{} is a CNAME", name.text()),
                           "a name with a CNAME can't have an address: remove the CNAME, or use another name"};
        }
        if (record.type == type) out.push_back(record.rdata);
    }
    return out;
}

}  // namespace

struct DnsBackend::Query {
    std::shared_ptr<Group> group;
    Name name;
    Type type;
    base::TimePoint deadline;
    std::function<void(dns::Reply, const std::string& server)> done;
    std::vector<std::size_t> order;
    std::size_t tried = 0;
};

struct DnsBackend::Search {
    Name wanted;
    Name candidate;
    base::TimePoint deadline;
    Done<Name> done;
    std::string last_answer{};
};

struct DnsBackend::Update {
    std::shared_ptr<Group> group;
    Name zone;
    dns::UpdateContent content;
    base::TimePoint deadline;
    Done<dns::Answer> done;
    std::function<void()> settled;
    std::vector<std::size_t> order;
    std::size_t tried = 0;
};

void DnsBackend::configure(const std::vector<ZoneServers>& groups) {
    const auto old = std::move(groups_);
    groups_.clear();
    for (const ZoneServers& config : groups) {
        // What did not change keeps its connections, and what is under way on them.
        const auto same = std::find_if(old.begin(), old.end(), [&](const auto& group) { return group->config == config; });
        if (same != old.end()) {
            groups_.push_back(*same);
            continue;
        }
        auto group = std::make_shared<Group>();
        group->config = config;
        const auto keys = std::make_shared<dns::KeySource>(config.key_files);
        for (const auto& address : config.servers) {
            group->members.push_back({std::make_shared<dns::Server>(io_, address, keys, config.tcp_only)});
        }
        groups_.push_back(std::move(group));
    }
    for (const auto& group : old) {
        if (std::find(groups_.begin(), groups_.end(), group) != groups_.end()) continue;
        for (const Member& member : group->members) member.server->close();
    }
}

std::shared_ptr<DnsBackend::Group> DnsBackend::group_of(const Name& name) const {
    std::shared_ptr<Group> best;
    for (const auto& group : groups_) {
        const auto& zone = group->config.zone;
        if (zone && !name.is_within(*zone)) continue;
        if (!best || (zone && (!best->config.zone || zone->size() > best->config.zone->size()))) best = group;
    }
    return best;
}

std::vector<std::size_t> DnsBackend::order(const Group& group) {
    std::vector<std::size_t> order(group.members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto now = base::Clock::now();
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return group.members[i].avoid_until <= now; });
    return order;
}

namespace {

/// An equal share of what is left for each server that is still to be tried.
base::TimePoint share(base::TimePoint deadline, std::size_t servers_left) {
    const auto now = base::Clock::now();
    return now + (deadline - now) / static_cast<int>(std::max<std::size_t>(servers_left, 1));
}

Failure no_server(const Name& name) {
    return {Failure::Kind::no_zone, 0, "", fmt::format("no DNS server is configured for {}", name.text()),
            "add a [[zone]] for it, or a [dns] server for all"};
}

}  // namespace

void DnsBackend::ask(const std::shared_ptr<Query>& query) {
    Member& member = query->group->members[query->order[query->tried]];
    const auto deadline = share(query->deadline, query->order.size() - query->tried);
    member.server->query(query->name, query->type, deadline, [this, query, &member](dns::Reply reply) {
        if (reply.has_error() && is_outage(reply.error())) {
            member.avoid_until = base::Clock::now() + avoidance;
            if (++query->tried < query->order.size()) return ask(query);
        }
        query->done(std::move(reply), member.server->name());
    });
}

void DnsBackend::find_zone(const Name& name, base::TimePoint deadline, Done<Name> done) {
    const auto group = group_of(name);
    if (!group || group->config.zone) {
        dns::Outcome<Name> outcome = group ? dns::Outcome<Name>(*group->config.zone) : dns::Outcome<Name>(no_server(name));
        boost::asio::post(io_, [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
        return;
    }
    step(std::make_shared<Search>(Search{name, name, deadline, std::move(done)}));
}

void DnsBackend::step(const std::shared_ptr<Search>& search) {
    const auto group = group_of(search->wanted);
    if (!group) return search->done(no_server(search->wanted));
    auto query = std::make_shared<Query>(Query{group, search->candidate, Type::soa, search->deadline, {}, order(*group)});
    query->done = [this, search](const dns::Reply& reply, const std::string& server) {
        if (reply.has_error()) return search->done(reply.error());
        if (const auto zone = zone_in(*reply, search->candidate)) return search->done(*zone);
        if (reply->rcode == KNOT_RCODE_SERVFAIL || reply->rcode == KNOT_RCODE_FORMERR || reply->rcode == KNOT_RCODE_NOTIMPL) {
            return search->done(dns::rcode_failure(reply->rcode, server, fmt::format("the SOA query for {}", search->candidate.text())));
        }
        if (search->last_answer.empty()) search->last_answer = dns::rcode_text(reply->rcode);
        search->candidate = search->candidate.parent();
        if (!search->candidate.is_root()) return step(search);
        search->done(Failure{Failure::Kind::no_zone, 0, server,
                             fmt::format("the DNS server serves no zone that holds {} (it answered {})", search->wanted.text(), search->last_answer),
                             "add the zone to the DNS server, or correct the host's name"});
    };
    ask(query);
}

void DnsBackend::look_up(const Name& zone, const Name& name, Type type, base::TimePoint deadline, Done<std::vector<std::string>> done) {
    const auto group = group_of(name);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), zone] { done(no_server(zone)); });
        return;
    }
    auto query = std::make_shared<Query>(Query{group, name, type, deadline, {}, order(*group)});
    query->done = [name, type, done = std::move(done)](const dns::Reply& reply, const std::string& server) {
        if (reply.has_error()) return done(reply.error());
        done(served(*reply, name, type, server));
    };
    ask(query);
}

void DnsBackend::apply(const Name& zone, dns::UpdateContent content, base::TimePoint deadline, Done<dns::Answer> done,
                       std::function<void()> settled) {
    const auto group = group_of(zone);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), settled = std::move(settled), zone] {
            done(no_server(zone));
            settled();
        });
        return;
    }
    attempt(std::make_shared<Update>(Update{group, zone, std::move(content), deadline, std::move(done), std::move(settled), order(*group)}));
}

void DnsBackend::attempt(const std::shared_ptr<Update>& update) {
    Member& member = update->group->members[update->order[update->tried]];
    const bool last = update->tried + 1 == update->order.size();
    const auto deadline = share(update->deadline, update->order.size() - update->tried);
    auto next = std::make_shared<bool>(false);
    const auto done = [this, update, &member, next, last](dns::Reply reply) {
        if (reply.has_error() && is_outage(reply.error())) {
            member.avoid_until = base::Clock::now() + avoidance;
            // The addresses of a zone are one server: what may have arrived at one of them is sent to no other, and the
            // zone waits until it is resolved.
            *next = !last && reply.error().kind == Failure::Kind::unreachable;
        }
        if (!*next) update->done(std::move(reply));
    };
    const auto settled = [this, update, next] {
        if (!*next) return update->settled();
        ++update->tried;
        attempt(update);
    };
    member.server->update(update->zone, update->content, deadline, done, settled);
}

void DnsBackend::probe(base::TimePoint deadline, std::function<void(const std::vector<ServerState>&)> done) const {
    struct Round {
        std::vector<ServerState> states{};
        std::size_t open = 0;
        std::function<void(const std::vector<ServerState>&)> done{};
    };
    const auto round = std::make_shared<Round>();
    round->done = std::move(done);
    for (const auto& group : groups_) round->open += group->members.size();
    if (round->open == 0) {
        boost::asio::post(io_, [round] { round->done(round->states); });
        return;
    }
    for (const auto& group : groups_) {
        for (const Member& member : group->members) {
            const std::size_t place = round->states.size();
            round->states.push_back({member.server->name(), group->config.zone, std::nullopt});
            member.server->query(group->config.zone.value_or(Name()), Type::soa, deadline, [round, place](const dns::Reply& reply) {
                if (reply.has_error()) round->states[place].failure = reply.error();
                if (--round->open == 0) round->done(round->states);
            });
        }
    }
}

}  // namespace sftdyn::update
