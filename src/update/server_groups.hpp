// SPDX-License-Identifier: GPL-3.0-or-later
// Maps zones to servers, and tracks which addresses of a server answer. Used on the engine's
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

/// The server of one zone, or of all zones without their own entry.
struct ZoneServers {
    std::optional<dns::Name> zone;            ///< absent: found by asking the server
    std::vector<dns::ServerAddress> servers;  ///< its addresses, tried in order
    std::vector<std::string> key_files;       ///< the first that exists is used
    dns::ServerOptions options{};
    bool queries = true;         ///< the server answers queries
    bool holds_reverse = false;  ///< also serves reverse names that no configured zone contains
    friend bool operator==(const ZoneServers&, const ZoneServers&) = default;
};

/// Makes the client of one address of a server.
using MakeServer = std::function<std::shared_ptr<dns::DnsServer>(
    const dns::ServerAddress& address, std::shared_ptr<dns::TsigKeyProvider> keys,
    const dns::ServerOptions& options)>;

/// One server with its addresses. Shared by the configuration and by all operations in flight or in
/// doubt there; closed with its last owner.
struct ServerGroup {
    /// One address of the server.
    struct GroupServer {
        std::shared_ptr<dns::DnsServer> server;
        base::TimePoint avoid_until{};  ///< until then the other addresses are tried first

        /// Tries the other addresses first for a while, because this one was down.
        void avoid(base::TimePoint now);
        /// The same for longer, because this address is not the primary's.
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

    /// `configured` may be in any order. Unchanged servers keep their connections and operations.
    void configure(const std::vector<ZoneServers>& configured);
    /// The group with the longest zone that contains the name. Without one, a reverse name goes to
    /// the group with `holds_reverse`, if there is one. Null: no group serves the name.
    [[nodiscard]] ServerGroupPtr of(const dns::Name& name) const;
    [[nodiscard]] const std::vector<ServerGroupPtr>& all() const { return groups_; }
    /// Removes and returns all configured groups. The caller closes them.
    [[nodiscard]] std::vector<ServerGroupPtr> take_all();

private:
    MakeServer make_server_;
    std::vector<ServerGroupPtr> groups_;
    std::vector<std::weak_ptr<ServerGroup>> replaced_;  ///< groups of earlier configurations
};

/// True for names at or below `arpa`, which contains the reverse zones.
[[nodiscard]] bool is_reverse(const dns::Name& name);
/// True when another address of the server may succeed.
[[nodiscard]] bool is_outage(const dns::DnsError& failure);
/// The deadline of the next attempt: each server left to be tried gets an equal share of the
/// remaining time.
[[nodiscard]] base::TimePoint share(base::TimePoint now, base::TimePoint deadline,
                                    std::size_t servers_left);
[[nodiscard]] dns::DnsError no_server(const dns::Name& name);

}  // namespace sftdyn::update
