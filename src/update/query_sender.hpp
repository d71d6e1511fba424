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

#include "update/answer_reading.hpp"
#include "update/backend.hpp"
#include "update/engine_thread.hpp"
#include "update/server_groups.hpp"

namespace sftdyn::update {

/// Finds the zone that a name lives in, and what is served there. Owned by `DnsBackend`; used on
/// the engine's thread. A query fails when no address of the server has answered it by its
/// deadline; one that does not know is passed over for the next.
///
/// What a wildcard makes has the owner that was asked for, as a record at the name has. Where a
/// sibling that is asked for too has the same, and where a CNAME comes, an UPDATE that consists of
/// a prerequisite alone tells whether it stands at the name.
class QuerySender {
public:
    QuerySender(boost::asio::io_context& io, base::TimeSourcePtr time, const ServerGroups& groups)
        : io_(io), time_(std::move(time)), groups_(groups) {}

    /// See `Backend`.
    void find_zone(const dns::Name& name, base::TimePoint deadline, Backend::Done<dns::Name> done)
        REQUIRES(engine_thread);
    void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                 base::TimePoint deadline, Backend::Done<ServedRecords> done)
        REQUIRES(engine_thread);
    /// Another configuration may know zones that were refused.
    void forget_refusals() REQUIRES(engine_thread) { no_zone_until_.clear(); }
    /// Wildcards are changed.
    void forget_wildcards() REQUIRES(engine_thread) { wildcards_.clear(); }

private:
    struct Query;
    struct Search;
    struct LookUp;
    struct Wildcard;
    using LookUpPtr = std::shared_ptr<LookUp>;
    using WildcardDone = std::function<void(const dns::DnsResult<AnswerReading>&)>;

    void ask(const std::shared_ptr<Query>& query) REQUIRES(engine_thread);
    void step(const std::shared_ptr<Search>& search) REQUIRES(engine_thread);
    void searched(const std::shared_ptr<Search>& search, const dns::Reply& reply,
                  const std::string& server) REQUIRES(engine_thread);
    void conclude(const std::shared_ptr<Search>& search, const dns::Name& zone,
                  const std::string& server) REQUIRES(engine_thread);
    void looked_up(const LookUpPtr& look_up, AnswerReading reading) REQUIRES(engine_thread);
    void ask_wildcard(const LookUpPtr& look_up, const dns::Name& sibling, WildcardDone done)
        REQUIRES(engine_thread);
    void ask_cname(const LookUpPtr& look_up) REQUIRES(engine_thread);
    void ask_own(const LookUpPtr& look_up, const ServedRecords& records) REQUIRES(engine_thread);
    void ask_prerequisite(const LookUpPtr& look_up, std::vector<dns::UpdateRecord> prerequisites,
                          const std::function<void(bool is_met)>& told) REQUIRES(engine_thread);

    boost::asio::io_context& io_;
    base::TimeSourcePtr time_;
    const ServerGroups& groups_;
    std::map<dns::Name, base::TimePoint> no_zone_until_;  ///< reverse names that the server refused
    /// What siblings have, which do not exist, by name and type.
    std::map<std::pair<dns::Name, dns::Type>, std::shared_ptr<Wildcard>> wildcards_;
};

}  // namespace sftdyn::update
