// SPDX-License-Identifier: GPL-3.0-or-later
// Which servers serve which zone, and which of a server's addresses answer. Used on the engine's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time_source.hpp"
#include "dns/dns_server.hpp"
#include "dns/server_client.hpp"

namespace sftdyn::update {

/// The server of one zone, or of all zones that have no entry of their own.
struct ZoneServers {
    std::optional<dns::Name> zone;            ///< absent: asked from the server
    std::vector<dns::ServerAddress> servers;  ///< its addresses, tried in order
    std::vector<std::string> key_files;       ///< the first that exists is used
    dns::ServerOptions options{};
    bool queries = true;         ///< the server answers queries
    bool holds_reverse = false;  ///< also reverse names that no zone of the configuration holds
    friend bool operator==(const ZoneServers&, const ZoneServers&) = default;
};

/// Makes what talks to one address of a server.
using MakeServer = std::function<std::shared_ptr<dns::DnsServer>(
    const dns::ServerAddress& address, std::shared_ptr<dns::TsigKeyProvider> keys,
    const dns::ServerOptions& options)>;

/// One server, by its addresses. Held by the configuration, and by all that is under way or in
/// doubt there; closed with the last of them.
struct ServerGroup {
    /// One address of the server.
    struct GroupServer {
        std::shared_ptr<dns::DnsServer> server;
        base::TimePoint avoid_until{};  ///< it was down: the others come first until then

        /// Another address may do better, for a while.
        void avoid(base::TimePoint now);
        /// It is not the primary, as another is: for longer.
        void pass_over(base::TimePoint now);
    };
    ZoneServers config;
    std::vector<GroupServer> members;

    ServerGroup(const ZoneServers& configured, const MakeServer& make_server);
    ServerGroup(const ServerGroup&) = delete;
    ServerGroup& operator=(const ServerGroup&) = delete;
    ~ServerGroup() { close(); }

    void close() const;
    /// The members' indices, in the order in which they are tried at `now`.
    [[nodiscard]] std::vector<std::size_t> order(base::TimePoint now) const;
};
using ServerGroupPtr = std::shared_ptr<ServerGroup>;

/// The servers of the configuration, each once. Owned by `DnsBackend`; used on the engine's thread.
class ServerGroups {
public:
    explicit ServerGroups(MakeServer make_server) : make_server_(std::move(make_server)) {}

    /// In any order. What did not change keeps its connections, and what is under way on them.
    void configure(const std::vector<ZoneServers>& configured);
    /// The entry with the longest zone that holds the name; for a reverse name, else the one that
    /// holds those too; null: there is none.
    [[nodiscard]] ServerGroupPtr of(const dns::Name& name) const;
    [[nodiscard]] const std::vector<ServerGroupPtr>& all() const { return groups_; }
    /// Leaves no group, and gives those that were configured. Each is to be closed.
    [[nodiscard]] std::vector<ServerGroupPtr> take_all();

private:
    MakeServer make_server_;
    std::vector<ServerGroupPtr> groups_;
    std::vector<std::weak_ptr<ServerGroup>> replaced_;  ///< of former configurations
};

/// A name that addresses are looked up by, or above such.
[[nodiscard]] bool is_reverse(const dns::Name& name);
/// Another address of the server may do better.
[[nodiscard]] bool is_outage(const dns::DnsError& failure);
/// An equal share of what is left until the deadline for each server that is still to be tried.
[[nodiscard]] base::TimePoint share(base::TimePoint now, base::TimePoint deadline,
                                    std::size_t servers_left);
[[nodiscard]] dns::DnsError no_server(const dns::Name& name);

}  // namespace sftdyn::update
