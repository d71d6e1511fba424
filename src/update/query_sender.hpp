// SPDX-License-Identifier: GPL-3.0-or-later
// Asks the servers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "update/backend.hpp"
#include "update/engine_thread.hpp"
#include "update/server_groups.hpp"

namespace sftdyn::update {

/// Finds the zone that a name lives in, and what is served there. Owned by `DnsBackend`; used on
/// the engine's thread. A query fails when no server has answered it by its deadline.
class QuerySender {
public:
    QuerySender(boost::asio::io_context& io, base::TimeSourcePtr time, const ServerGroups& groups)
        : io_(io), time_(std::move(time)), groups_(groups) {}

    /// See `Backend`.
    void find_zone(const dns::Name& name, base::TimePoint deadline, Backend::Done<dns::Name> done)
        REQUIRES(engine_thread);
    void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                 base::TimePoint deadline, Backend::Done<std::vector<std::string>> done)
        REQUIRES(engine_thread);
    /// Another configuration may know zones that were refused.
    void forget_refusals() REQUIRES(engine_thread) { no_zone_until_.clear(); }

private:
    struct Query;
    struct Search;
    void ask(const std::shared_ptr<Query>& query) REQUIRES(engine_thread);
    void step(const std::shared_ptr<Search>& search) REQUIRES(engine_thread);

    boost::asio::io_context& io_;
    base::TimeSourcePtr time_;
    const ServerGroups& groups_;
    std::map<dns::Name, base::TimePoint> no_zone_until_;  ///< reverse names that the server refused
};

}  // namespace sftdyn::update
