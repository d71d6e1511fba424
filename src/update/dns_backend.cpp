#include "update/dns_backend.hpp"
#include "dns/knot.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sftdyn::update {
namespace {

using dns::DnsError;
using dns::Name;
using dns::Type;

// An address that was down is tried after the others for this long.
constexpr base::Duration avoidance = std::chrono::seconds(15);

// How long a reverse name that no zone of the server's holds is remembered, and how many are.
constexpr base::Duration refusal_memory = std::chrono::minutes(5);
constexpr std::size_t most_refusals = 1000;

// An UPDATE that was lost with its connection is sent again so often.
constexpr unsigned most_sends = 3;

// A connection that brings nothing for so long while answers are awaited is given up for a new one:
// something on the way may have forgotten it.

/// Another address may do better.
bool is_outage(const DnsError& failure) {
    return failure.kind == DnsError::Kind::unreachable || failure.kind == DnsError::Kind::timeout ||
           failure.kind == DnsError::Kind::connection;
}

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

dns::Outcome<std::vector<std::string>> served(const dns::Answer& answer, const Name& name,
                                              Type type, const std::string& server) {
    const std::string what = fmt::format("the {} query for {}", dns::type_text(type), name.text());
    if (answer.rcode != KNOT_RCODE_NOERROR && answer.rcode != KNOT_RCODE_NXDOMAIN)
        return dns::rcode_failure(answer.rcode, server, what);
    if (!answer.authoritative) {
        return DnsError{DnsError::Kind::no_zone, 0, server,
                        fmt::format("the DNS server's answer to {} is not authoritative", what),
                        "sftdyn must talk to the zone's primary server, not to a resolver"};
    }
    std::vector<std::string> out;
    for (const auto& record : answer.answers) {
        if (record.owner != name) continue;
        if (record.type == Type::cname) {
            return DnsError{
                DnsError::Kind::in_the_way, 0, server, fmt::format("{} is a CNAME", name.text()),
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
    std::function<void()> resolved;
    std::vector<std::size_t> order;
    std::size_t tried = 0;
    unsigned sends = 0;

    /// Sent twice it does what it does once: delete the RRset, add the record. Prerequisites may
    /// fail by what the first did.
    [[nodiscard]] bool is_idempotent() const {
        const auto* message = std::get_if<dns::UpdateMessage>(&content);
        return message == nullptr || message->prerequisites.empty();
    }
};

struct DnsBackend::Fence {
    Name zone;
    std::vector<FenceWay> ways{};
    base::TimePoint deadline{};
    InDoubt::FenceDone done{};
    std::size_t tried = 0;
};

DnsBackend::Group::~Group() { close(); }

void DnsBackend::Group::close() const {
    for (const Member& member : members) member.server->close();
}

DnsBackend::DnsBackend(boost::asio::io_context& io)
    : io_(io),
      in_doubt_(
          io,
          [this](const Name& zone, const std::shared_ptr<void>& keep, const InDoubt::Way& way,
                 unsigned attempt, base::TimePoint deadline, InDoubt::FenceDone done) {
              send_fence(std::make_shared<Fence>(
                  Fence{zone, fence_ways(zone, std::static_pointer_cast<Group>(keep), way, attempt),
                        deadline, std::move(done)}));
          },
          [this](const Name& zone, const DnsError& failure) { on_blocked_(zone, failure); }) {}

void DnsBackend::configure(const std::vector<ZoneServers>& groups) {
    const auto old = std::move(groups_);
    groups_.clear();
    for (const ZoneServers& config : groups) {
        // What did not change keeps its connections, and what is under way on them.
        const auto same = std::find_if(old.begin(), old.end(),
                                       [&](const auto& group) { return group->config == config; });
        if (same != old.end()) {
            groups_.push_back(*same);
            continue;
        }
        auto group = std::make_shared<Group>();
        group->config = config;
        const auto keys = std::make_shared<dns::TsigKeyProvider>(config.key_files);
        for (const auto& address : config.servers) {
            group->members.push_back(
                {std::make_shared<dns::ServerClient>(io_, address, keys, config.tcp_only)});
        }
        groups_.push_back(std::move(group));
    }
    no_zone_until_.clear();
    std::erase_if(replaced_, [](const auto& group) { return group.expired(); });
    for (const auto& group : old) {
        if (std::find(groups_.begin(), groups_.end(), group) == groups_.end())
            replaced_.push_back(group);
    }
}

void DnsBackend::close() {
    const auto groups = std::exchange(groups_, {});
    in_doubt_.close();
    for (const auto& group : groups) group->close();
    for (const auto& one : std::exchange(replaced_, {})) {
        if (const auto group = one.lock()) group->close();
    }
}

std::shared_ptr<DnsBackend::Group> DnsBackend::group_of(const Name& name) const {
    std::shared_ptr<Group> best;
    for (const auto& group : groups_) {
        const auto& zone = group->config.zone;
        if (zone && !name.is_within(*zone)) continue;
        if (!best || (zone && (!best->config.zone || zone->size() > best->config.zone->size())))
            best = group;
    }
    return best;
}

std::vector<std::size_t> DnsBackend::order(const Group& group) {
    std::vector<std::size_t> order(group.members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto now = base::Clock::now();
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t i) { return group.members[i].avoid_until <= now; });
    return order;
}

namespace {

/// An equal share of what is left for each server that is still to be tried.
base::TimePoint share(base::TimePoint deadline, std::size_t servers_left) {
    const auto now = base::Clock::now();
    return now + (deadline - now) / static_cast<int>(std::max<std::size_t>(servers_left, 1));
}

DnsError no_zone(const Name& name, const std::string& server, const std::string& answer) {
    return {DnsError::Kind::no_zone, 0, server,
            fmt::format("the DNS server serves no zone that holds {} (it answered {})", name.text(),
                        answer),
            "add the zone to the DNS server, or correct the host's name"};
}

DnsError no_server(const Name& name) {
    return {DnsError::Kind::no_zone, 0, "",
            fmt::format("no DNS server is configured for {}", name.text()),
            "add a [[zone]] for it, or a [dns] server for all"};
}

}  // namespace

void DnsBackend::ask(const std::shared_ptr<Query>& query) {
    Member& member = query->group->members[query->order[query->tried]];
    const auto deadline = share(query->deadline, query->order.size() - query->tried);
    member.server->query(query->name, query->type, deadline,
                         [this, query, &member](dns::Reply reply) {
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
        dns::Outcome<Name> outcome =
            group ? dns::Outcome<Name>(*group->config.zone) : dns::Outcome<Name>(no_server(name));
        boost::asio::post(
            io_, [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
        return;
    }
    if (const auto refused = no_zone_until_.find(name); refused != no_zone_until_.end()) {
        if (refused->second > base::Clock::now()) {
            boost::asio::post(io_, [done = std::move(done),
                                    failure = no_zone(name, "", "REFUSED")] { done(failure); });
            return;
        }
        no_zone_until_.erase(refused);
    }
    step(std::make_shared<Search>(Search{name, name, deadline, std::move(done)}));
}

void DnsBackend::step(const std::shared_ptr<Search>& search) {
    const auto group = group_of(search->wanted);
    if (!group) return search->done(no_server(search->wanted));
    auto query = std::make_shared<Query>(
        Query{group, search->candidate, Type::soa, search->deadline, {}, order(*group)});
    query->done = [this, search](const dns::Reply& reply, const std::string& server) {
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
            no_zone_until_[search->wanted] = base::Clock::now() + refusal_memory;
        }
        search->done(no_zone(search->wanted, server, search->last_answer));
    };
    ask(query);
}

void DnsBackend::look_up(const Name& zone, const Name& name, Type type, base::TimePoint deadline,
                         Done<std::vector<std::string>> done) {
    const auto group = group_of(zone);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), zone] { done(no_server(zone)); });
        return;
    }
    auto query = std::make_shared<Query>(Query{group, name, type, deadline, {}, order(*group)});
    query->done = [name, type, done = std::move(done)](const dns::Reply& reply,
                                                       const std::string& server) {
        if (reply.has_error()) return done(reply.error());
        done(served(*reply, name, type, server));
    };
    ask(query);
}

void DnsBackend::apply(const Name& zone, dns::UpdateContent content, base::TimePoint deadline,
                       Done<dns::Answer> done, std::function<void()> resolved) {
    const auto group = group_of(zone);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), resolved = std::move(resolved), zone] {
            done(no_server(zone));
            resolved();
        });
        return;
    }
    attempt(std::make_shared<Update>(Update{group, zone, std::move(content), deadline,
                                            std::move(done), std::move(resolved), order(*group)}));
}

void DnsBackend::attempt(const std::shared_ptr<Update>& update) {
    Member& member = update->group->members[update->order[update->tried]];
    // What could not be sent to one address in its share of the time goes to the next; what was
    // sent has all of it.
    const auto send_by = share(update->deadline, update->order.size() - update->tried);
    const std::uint64_t number = in_doubt_.next_number();
    ++update->sends;
    member.server->update(
        update->zone, update->content, send_by, update->deadline,
        [this, update, &member, number](dns::Reply reply, dns::Delivery delivery) {
            attempted(update, member, number, std::move(reply), delivery);
        },
        [this, zone = update->zone, number](const dns::Reply&, unsigned) {
            in_doubt_.answered(zone, number);
        });
}

void DnsBackend::attempted(const std::shared_ptr<Update>& update, Member& member,
                           std::uint64_t number, dns::Reply reply, dns::Delivery delivery) {
    using Kind = dns::Delivery::Kind;
    const bool outage = reply.has_error() && is_outage(reply.error());
    if (outage) member.avoid_until = base::Clock::now() + avoidance;
    const bool lost = reply.has_error() && reply.error().kind == DnsError::Kind::connection &&
                      update->sends < most_sends;
    const bool in_time = base::Clock::now() < update->deadline;
    if (delivery.kind == Kind::unsent && outage && in_time) {
        // The addresses are one server's: what may have arrived at one of them is sent to no other
        // before it is resolved.
        const bool next = update->tried + 1 < update->order.size();
        if (next) ++update->tried;
        if (next || lost) return attempt(update);
    }
    if (delivery.kind != Kind::in_doubt) {
        update->done(std::move(reply));
        return update->resolved();
    }
    const InDoubt::Way way{member.server.get(), delivery.connection};
    if (!lost || !in_time || !update->is_idempotent()) {
        update->done(std::move(reply));
        return in_doubt_.add(update->zone, number, way, update->group, update->resolved);
    }
    // It is sent again when the first is resolved. Before, the first might be carried out after it,
    // and after all that follows it.
    const auto timer = std::make_shared<boost::asio::steady_timer>(io_, update->deadline);
    const auto told = std::make_shared<bool>(false);
    timer->async_wait([timer, told, update, reply](boost::system::error_code error) {
        if (error || std::exchange(*told, true)) return;
        update->done(reply);
    });
    in_doubt_.add(update->zone, number, way, update->group, [this, timer, told, update] {
        timer->cancel();
        if (std::exchange(*told, true)) return update->resolved();
        update->order = order(*update->group);
        update->tried = 0;
        attempt(update);
    });
}

/// Where a fence may go, in the order to try: the server that the UPDATE in doubt went to, the
/// connection that it went to first; then the one that serves the zone now. Each attempt begins
/// with another.
std::vector<DnsBackend::FenceWay> DnsBackend::fence_ways(const Name& zone,
                                                         const std::shared_ptr<Group>& before,
                                                         const InDoubt::Way& last,
                                                         unsigned attempt) const {
    std::vector<FenceWay> ways;
    const auto add = [&](const std::shared_ptr<Group>& group) {
        for (const std::size_t member : order(*group)) ways.push_back({group, member});
    };
    if (before) add(before);
    std::stable_partition(ways.begin(), ways.end(), [&](const FenceWay& way) {
        return way.group->members[way.member].server.get() == last.server;
    });
    const auto now = group_of(zone);
    if (now && now != before) add(now);
    if (!ways.empty())
        std::rotate(ways.begin(), ways.begin() + static_cast<std::ptrdiff_t>(attempt % ways.size()),
                    ways.end());
    return ways;
}

void DnsBackend::contact(const Name& zone, std::function<void()> resolved) {
    in_doubt_.add_unknown(zone, std::move(resolved));
}

void DnsBackend::send_fence(const std::shared_ptr<Fence>& fence) {
    using Kind = InDoubt::Outcome::Kind;
    if (fence->ways.empty()) {
        boost::asio::post(io_, [fence] {
            fence->done({Kind::failed, {}, no_server(fence->zone)});
        });
        return;
    }
    const FenceWay& way = fence->ways[fence->tried];
    Member& member = way.group->members[way.member];
    const void* server = member.server.get();
    const auto outcome = [server](const dns::Reply& reply, unsigned connection) {
        if (reply.has_value()) return InDoubt::Outcome{Kind::passed, {server, connection}, {}};
        return InDoubt::Outcome{Kind::refused, {server, connection}, reply.error()};
    };
    const auto answered = [this, fence, &member, server, outcome](const dns::Reply& reply,
                                                                  dns::Delivery delivery) {
        const bool outage = reply.has_error() && is_outage(reply.error());
        if (outage) member.avoid_until = base::Clock::now() + avoidance;
        if (delivery.kind == dns::Delivery::Kind::answered)
            return fence->done(outcome(reply, delivery.connection));
        if (delivery.kind == dns::Delivery::Kind::unsent && outage &&
            ++fence->tried < fence->ways.size())
            return send_fence(fence);
        const bool silent = reply.has_error() && reply.error().kind == DnsError::Kind::timeout;
        DnsError failure = reply.has_error() ? reply.error() : DnsError{};
        fence->done({silent ? Kind::unanswered : Kind::failed,
                     {server, delivery.connection},
                     std::move(failure)});
    };
    member.server->end_if_silent();
    const auto send_by = share(fence->deadline, fence->ways.size() - fence->tried);
    member.server->update(
        fence->zone, dns::UpdateMessage{}, send_by, fence->deadline, answered,
        [done = fence->done, outcome](const dns::Reply& reply, unsigned connection) {
            done(outcome(reply, connection));
        });
}

void DnsBackend::probe(base::TimePoint deadline,
                       std::function<void(const std::vector<ServerState>&)> done) const {
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
            member.server->query(group->config.zone.value_or(Name()), Type::soa, deadline,
                                 [round, place](const dns::Reply& reply) {
                                     if (reply.has_error())
                                         round->states[place].failure = reply.error();
                                     if (--round->open == 0) round->done(round->states);
                                 });
        }
    }
}

}  // namespace sftdyn::update
