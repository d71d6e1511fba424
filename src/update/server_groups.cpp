// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/server_groups.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sftdyn::update {
namespace {

// For this long, an address that was down is tried after the others.
constexpr base::Duration avoidance = std::chrono::seconds(15);

// For this long, an address that refused what another accepted is tried after the others.
constexpr base::Duration no_primary_avoidance = std::chrono::minutes(10);

}  // namespace

void ServerGroup::GroupServer::avoid(base::TimePoint now) { avoid_until = now + avoidance; }

void ServerGroup::GroupServer::pass_over(base::TimePoint now) {
    avoid_until = now + no_primary_avoidance;
}

ServerGroup::ServerGroup(const ZoneServers& configured, const MakeServer& make_server)
    : config(configured) {
    const auto keys = std::make_shared<dns::TsigKeyProvider>(config.key_files);
    for (const auto& address : config.servers)
        members.push_back({make_server(address, keys, config.options)});
}

void ServerGroup::close() const {
    for (const GroupServer& member : members) member.server->close();
}

std::vector<std::size_t> ServerGroup::order(base::TimePoint now) const {
    std::vector<std::size_t> indices(members.size());
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
    std::stable_partition(indices.begin(), indices.end(),
                          [&](std::size_t i) { return members[i].avoid_until <= now; });
    return indices;
}

void ServerGroups::configure(const std::vector<ZoneServers>& configured) {
    const auto old = std::exchange(groups_, {});
    for (const ZoneServers& config : configured) {
        const auto same = std::find_if(old.begin(), old.end(),
                                       [&](const auto& group) { return group->config == config; });
        groups_.push_back(same != old.end() ? *same
                                            : std::make_shared<ServerGroup>(config, make_server_));
    }
    std::erase_if(replaced_, [](const auto& group) { return group.expired(); });
    for (const auto& group : old) {
        if (std::find(groups_.begin(), groups_.end(), group) == groups_.end())
            replaced_.push_back(group);
    }
}

ServerGroupPtr ServerGroups::of(const dns::Name& name) const {
    ServerGroupPtr best, of_reverse;
    for (const auto& group : groups_) {
        const auto& zone = group->config.zone;
        if (group->config.holds_reverse) of_reverse = group;
        if (zone && !name.is_within(*zone)) continue;
        if (!best || (zone && (!best->config.zone || zone->size() > best->config.zone->size())))
            best = group;
    }
    return best || !is_reverse(name) ? best : of_reverse;
}

std::vector<ServerGroupPtr> ServerGroups::take_all() {
    auto all = std::exchange(groups_, {});
    for (const auto& one : std::exchange(replaced_, {})) {
        if (auto group = one.lock()) all.push_back(std::move(group));
    }
    return all;
}

bool is_reverse(const dns::Name& name) {
    static const dns::Name arpa = dns::Name::parse("arpa").value();
    return name.is_within(arpa);
}

bool is_outage(const dns::DnsError& failure) {
    return failure.kind == dns::ErrorKind::unreachable || failure.kind == dns::ErrorKind::timeout ||
           failure.kind == dns::ErrorKind::connection;
}

base::TimePoint share(base::TimePoint now, base::TimePoint deadline, std::size_t servers_left) {
    return now + (deadline - now) / static_cast<int>(std::max<std::size_t>(servers_left, 1));
}

dns::DnsError no_server(const dns::Name& name) {
    return {dns::ErrorKind::no_zone, 0, "",
            fmt::format("no DNS server is configured for {}", name.text()),
            "add a [[zone]] for it, or a [dns] server for all"};
}

}  // namespace sftdyn::update
