// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/dns_backend.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "dns/knot.hpp"

namespace sftdyn::update {
namespace {

using dns::DnsError;
using dns::Name;
using dns::Type;

// How often an UPDATE is sent when its connection was lost.
constexpr unsigned most_sends = 3;

MakeServer servers_over(boost::asio::io_context& io, const base::TimeSourcePtr& time) {
    return
        [&io, time](const dns::ServerAddress& address, std::shared_ptr<dns::TsigKeyProvider> keys,
                    const dns::ServerOptions& options) {
            return std::make_shared<dns::ServerClient>(io, address, std::move(keys), options, time);
        };
}

bool is_wildcard(const Name& name) { return name.bytes().starts_with(std::string("\x01*", 2)); }

bool touches_wildcard(const dns::UpdateContent& content) {
    if (const auto* message = std::get_if<dns::UpdateMessage>(&content))
        return std::any_of(message->updates.begin(), message->updates.end(),
                           [](const auto& record) { return is_wildcard(record.owner); });
    const auto& changes = std::get<std::vector<dns::Change>>(content);
    return std::any_of(changes.begin(), changes.end(),
                       [](const auto& change) { return is_wildcard(change.owner); });
}

/// The server refuses such UPDATEs from every client: another address may be the primary's.
bool is_no_primary(const dns::Reply& reply) {
    if (reply.has_value()) return false;
    if (reply.error().kind == dns::ErrorKind::bad_key) return true;  // how Knot's ACL refuses
    if (!reply.error().is_refusal()) return false;
    const std::uint16_t rcode = reply.error().rcode;
    return rcode == KNOT_RCODE_REFUSED || rcode == KNOT_RCODE_NOTAUTH ||
           rcode == KNOT_RCODE_NOTIMPL;
}

}  // namespace

struct DnsBackend::SentUpdate {
    ServerGroupPtr group;
    Name zone;
    dns::UpdateContent content;
    base::TimePoint deadline;
    Done<dns::Answer> done;
    std::function<void()> resolved;
    std::vector<std::size_t> order;
    std::size_t tried = 0;
    unsigned sends = 0;
    std::optional<dns::Reply> refusal{};  ///< the first by an address of a possible secondary

    /// Deleting an RRset and adding a record has the same effect twice as once. With prerequisites
    /// it has not: they may fail because of the first message.
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

DnsBackend::DnsBackend(boost::asio::io_context& io)
    : DnsBackend(io, base::system_time(io), servers_over(io, base::system_time(io))) {}

DnsBackend::DnsBackend(boost::asio::io_context& io, base::TimeSourcePtr time,
                       MakeServer make_server)
    : io_(io),
      time_(std::move(time)),
      groups_(std::move(make_server)),
      queries_(io, time_, groups_),
      explainer_(time_),
      in_doubt_(
          io, time_,
          [this](const Name& zone, const std::shared_ptr<void>& keep, const InDoubt::Way& way,
                 unsigned attempt, base::TimePoint deadline, InDoubt::FenceDone done) {
              engine_thread.assert_held();
              send_fence(std::make_shared<Fence>(Fence{
                  zone, fence_ways(zone, std::static_pointer_cast<ServerGroup>(keep), way, attempt),
                  deadline, std::move(done)}));
          },
          [this](const Name& zone, const DnsError& failure) { on_blocked_(zone, failure); }) {}

void DnsBackend::configure(const std::vector<ZoneServers>& groups) {
    groups_.configure(groups);
    queries_.forget_refusals();
    queries_.forget_wildcards();
    explainer_.forget();
}

void DnsBackend::close() {
    const auto groups = groups_.take_all();
    in_doubt_.close();
    for (const auto& group : groups) group->close();
}

void DnsBackend::find_zone(const Name& name, base::TimePoint deadline, Done<Name> done) {
    engine_thread.assert_held();
    queries_.find_zone(name, deadline, std::move(done));
}

void DnsBackend::look_up(const Name& zone, const Name& name, Type type, base::TimePoint deadline,
                         Done<ServedRecords> done) {
    engine_thread.assert_held();
    queries_.look_up(zone, name, type, deadline, std::move(done));
}

void DnsBackend::read_serial(const Name& zone, base::TimePoint deadline, Done<SerialReading> done) {
    engine_thread.assert_held();
    queries_.read_serial(zone, deadline, std::move(done));
}

bool DnsBackend::answers_queries(const Name& zone) const {
    engine_thread.assert_held();
    const auto group = groups_.of(zone);
    return group == nullptr || group->config.queries;
}

void DnsBackend::apply(const Name& zone, dns::UpdateContent content, base::TimePoint deadline,
                       Done<dns::Answer> done, std::function<void()> resolved) {
    engine_thread.assert_held();
    const auto group = groups_.of(zone);
    if (!group) {
        boost::asio::post(io_, [done = std::move(done), resolved = std::move(resolved), zone] {
            done(no_server(zone));
            resolved();
        });
        return;
    }
    if (touches_wildcard(content)) {
        // The UPDATE may change a wildcard, and so the records of siblings.
        queries_.forget_wildcards();
        resolved = [this, resolved = std::move(resolved)] {
            engine_thread.assert_held();
            queries_.forget_wildcards();
            resolved();
        };
    }
    attempt(std::make_shared<SentUpdate>(SentUpdate{group, zone, std::move(content), deadline,
                                                    std::move(done), std::move(resolved),
                                                    group->order(time_->now())}));
}

void DnsBackend::attempt(const std::shared_ptr<SentUpdate>& update) {
    ServerGroup::GroupServer& member = update->group->members[update->order[update->tried]];
    // An UPDATE that could not be sent to one address in its share of the time goes to the next.
    // Once sent, it has all the remaining time.
    const auto send_by =
        share(time_->now(), update->deadline, update->order.size() - update->tried);
    const std::uint64_t number = in_doubt_.next_number();
    ++update->sends;
    member.server->update(
        update->zone, update->content, send_by, update->deadline,
        [this, update, &member, number](dns::Reply reply, dns::Delivery delivery) {
            engine_thread.assert_held();
            attempted(update, member, number, std::move(reply), delivery);
        },
        [this, zone = update->zone, number](const dns::Reply&, unsigned) {
            engine_thread.assert_held();
            in_doubt_.answered(zone, number);
        });
}

/// When an address that may not be the primary's refuses the UPDATE, the next address is tried.
/// After the last one, the first refusal is the reply.
bool DnsBackend::goes_to_next_address(const std::shared_ptr<SentUpdate>& update,
                                      ServerGroup::GroupServer& member, dns::Reply& reply,
                                      const dns::Delivery& delivery) {
    const auto now = time_->now();
    if (delivery.state == dns::DeliveryState::in_doubt) {
        // The refusal is not signed and so proves nothing; but this address is tried last from now
        // on.
        if (is_no_primary(reply)) member.pass_over(now);
        return false;
    }
    if (delivery.state == dns::DeliveryState::answered && is_no_primary(reply)) {
        // The UPDATE was not carried out, and will not be.
        if (!update->refusal) update->refusal = reply;
        if (now < update->deadline && ++update->tried < update->order.size()) return true;
        reply = *update->refusal;
    } else if (update->refusal && reply.has_value()) {
        for (std::size_t i = 0; i < update->tried; ++i)
            update->group->members[update->order[i]].pass_over(now);
    }
    return false;
}

void DnsBackend::attempted(const std::shared_ptr<SentUpdate>& update,
                           ServerGroup::GroupServer& member, std::uint64_t number, dns::Reply reply,
                           dns::Delivery delivery) {
    using dns::DeliveryState;
    const bool outage = reply.has_error() && is_outage(reply.error());
    if (outage) member.avoid(time_->now());
    const bool lost = reply.has_error() && reply.error().kind == dns::ErrorKind::connection &&
                      update->sends < most_sends;
    const bool in_time = time_->now() < update->deadline;
    if (delivery.state == DeliveryState::unsent && outage && in_time) {
        // The addresses belong to one server: an UPDATE that may have arrived at one of them is not
        // sent to another before it is resolved.
        const bool next = update->tried + 1 < update->order.size();
        if (next) ++update->tried;
        if (next || lost) return attempt(update);
    }
    if (goes_to_next_address(update, member, reply, delivery)) return attempt(update);
    if (delivery.state == DeliveryState::answered && in_time && reply.has_error() &&
        RefusalExplainer::can_explain(update->content, reply.error()))
        return explainer_.explain(update->zone, update->content, reply.error(), *member.server,
                                  update->group, update->deadline, [update](const DnsError& why) {
                                      update->done(why);
                                      update->resolved();
                                  });
    if (delivery.state != DeliveryState::in_doubt) {
        update->done(std::move(reply));
        return update->resolved();
    }
    const InDoubt::Way way{member.server.get(), delivery.connection};
    if (!lost || !in_time || !update->is_idempotent()) {
        update->done(std::move(reply));
        return in_doubt_.add(update->zone, number, way, update->group, update->resolved);
    }
    // The UPDATE is sent again only when the first message is resolved. Otherwise the first might
    // be carried out after it, and after later UPDATEs.
    const std::shared_ptr<base::Timer> timer = time_->timer();
    const auto told = std::make_shared<bool>(false);
    timer->set(update->deadline, [timer, told, update, reply] {
        if (std::exchange(*told, true)) return;
        update->done(reply);
    });
    in_doubt_.add(update->zone, number, way, update->group, [this, timer, told, update] {
        engine_thread.assert_held();
        timer->cancel();
        if (std::exchange(*told, true)) return update->resolved();
        update->order = update->group->order(time_->now());
        update->tried = 0;
        attempt(update);
    });
}

/// The ways of a fence query, in the order to try: the server that the UPDATE in doubt was sent to,
/// beginning with the address it was sent to, then the server that serves the zone now. Each
/// attempt begins with a different way.
std::vector<DnsBackend::FenceWay> DnsBackend::fence_ways(const Name& zone,
                                                         const ServerGroupPtr& before,
                                                         const InDoubt::Way& last,
                                                         unsigned attempt) const {
    std::vector<FenceWay> ways;
    const auto add = [&](const ServerGroupPtr& group) {
        for (const std::size_t member : group->order(time_->now())) ways.push_back({group, member});
    };
    if (before) add(before);
    std::stable_partition(ways.begin(), ways.end(), [&](const FenceWay& way) {
        return way.group->members[way.member].server.get() == last.server;
    });
    const auto now = groups_.of(zone);
    if (now && now != before) add(now);
    if (!ways.empty())
        std::rotate(ways.begin(), ways.begin() + static_cast<std::ptrdiff_t>(attempt % ways.size()),
                    ways.end());
    return ways;
}

void DnsBackend::contact(const Name& zone, std::function<void()> resolved) {
    engine_thread.assert_held();
    in_doubt_.add_unknown(zone, std::move(resolved));
}

void DnsBackend::send_fence(const std::shared_ptr<Fence>& fence) {
    if (fence->ways.empty()) {
        boost::asio::post(io_, [fence] {
            fence->done({FenceResult::failed, {}, no_server(fence->zone)});
        });
        return;
    }
    const FenceWay& way = fence->ways[fence->tried];
    ServerGroup::GroupServer& member = way.group->members[way.member];
    const void* server = member.server.get();
    const auto outcome = [server](const dns::Reply& reply, unsigned connection) {
        if (reply.has_value())
            return InDoubt::FenceOutcome{FenceResult::passed, {server, connection}, {}};
        return InDoubt::FenceOutcome{FenceResult::refused, {server, connection}, reply.error()};
    };
    const auto answered = [this, fence, &member, server, outcome](const dns::Reply& reply,
                                                                  dns::Delivery delivery) {
        engine_thread.assert_held();
        const bool outage = reply.has_error() && is_outage(reply.error());
        if (outage) member.avoid(time_->now());
        if (is_no_primary(reply)) {
            member.pass_over(time_->now());
            if (fence->tried + 1 < fence->ways.size()) {
                ++fence->tried;
                return send_fence(fence);
            }
        }
        if (delivery.state == dns::DeliveryState::answered)
            return fence->done(outcome(reply, delivery.connection));
        if (delivery.state == dns::DeliveryState::unsent && outage &&
            ++fence->tried < fence->ways.size())
            return send_fence(fence);
        const bool silent = reply.has_error() && reply.error().kind == dns::ErrorKind::timeout;
        DnsError failure = reply.has_error() ? reply.error() : DnsError{};
        fence->done({silent ? FenceResult::unanswered : FenceResult::failed,
                     {server, delivery.connection},
                     std::move(failure)});
    };
    member.server->end_if_silent();
    const auto send_by = share(time_->now(), fence->deadline, fence->ways.size() - fence->tried);
    member.server->update(
        fence->zone, dns::UpdateMessage{}, send_by, fence->deadline, answered,
        [done = fence->done, outcome](const dns::Reply& reply, unsigned connection) {
            done(outcome(reply, connection));
        });
}

void DnsBackend::probe(base::TimePoint deadline, ProbeEnd end,
                       std::function<void(const std::vector<ServerState>&)> done) const {
    struct Round {
        std::vector<ServerState> states{};
        std::size_t open = 0;
        bool told = false;
        std::function<void(const std::vector<ServerState>&)> done{};
    };
    const auto round = std::make_shared<Round>();
    round->done = std::move(done);
    for (const auto& group : groups_.all()) round->open += group->members.size();
    if (round->open == 0) {
        boost::asio::post(io_, [round] { round->done(round->states); });
        return;
    }
    const auto answered = [round, end](std::size_t place, const dns::Reply& reply) {
        round->states[place].failure.reset();
        if (reply.has_error()) round->states[place].failure = reply.error();
        --round->open;
        const bool enough = end == ProbeEnd::can_be_asked && can_be_asked(round->states);
        if ((round->open > 0 && !enough) || std::exchange(round->told, true)) return;
        round->done(round->states);
    };
    for (const auto& group : groups_.all()) {
        for (const ServerGroup::GroupServer& member : group->members)
            round->states.push_back(
                {member.server->name(), group->config.zone,
                 DnsError{dns::ErrorKind::timeout, 0, member.server->name(), "no answer yet", ""}});
    }
    std::size_t place = 0;
    for (const auto& group : groups_.all()) {
        for (const ServerGroup::GroupServer& member : group->members) {
            const auto told = [answered, at = place++](const dns::Reply& reply) {
                // An RCODE other than NOERROR is an answer too.
                const bool refused = reply.has_error() && reply.error().is_refusal();
                answered(at, refused ? dns::Reply(dns::Answer()) : reply);
            };
            const Name name = group->config.zone.value_or(Name());
            if (group->config.queries) {
                member.server->query(name, Type::soa, deadline, told);
                continue;
            }
            member.server->update(
                name, dns::UpdateMessage{}, deadline, deadline,
                [told](const dns::Reply& reply, dns::Delivery) { told(reply); },
                [](const dns::Reply&, unsigned) {});
        }
    }
}

bool can_be_asked(const std::vector<ServerState>& addresses) {
    return std::all_of(addresses.begin(), addresses.end(), [&](const ServerState& silent) {
        return std::any_of(addresses.begin(), addresses.end(), [&](const ServerState& other) {
            return other.zone == silent.zone && !other.failure;
        });
    });
}

}  // namespace sftdyn::update
