// SPDX-License-Identifier: GPL-3.0-or-later
// Sends queries to the servers.
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

/// Finds the zone of a name, and the records that are served at it. Owned by `DnsBackend`; used on
/// the engine's thread. A query fails when no address of the server has answered it by its
/// deadline. After an answer that is not authoritative, the next address is tried.
///
/// A record that is synthesized from a wildcard has the queried name as its owner, like a record
/// that exists there. So a sibling name is queried too. If it has the same records, or if the
/// answer has a CNAME, an UPDATE with only prerequisites tells whether the records exist at the
/// name.
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
    void read_serial(const dns::Name& zone, base::TimePoint deadline,
                     Backend::Done<SerialReading> done) REQUIRES(engine_thread);
    /// Forgets refused names: a new configuration may have zones for them.
    void forget_refusals() REQUIRES(engine_thread) { no_zone_until_.clear(); }
    /// Forgets what wildcards yield: they may have changed.
    void forget_wildcards() REQUIRES(engine_thread) { wildcards_.clear(); }

private:
    struct Asked;
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
    static void finish(const LookUpPtr& look_up, ServedRecords records);
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
    std::map<dns::Name, base::TimePoint> no_zone_until_;  ///< for refused reverse names
    /// The records of non-existent siblings, by name and type.
    std::map<std::pair<dns::Name, dns::Type>, std::shared_ptr<Wildcard>> wildcards_;
};

}  // namespace sftdyn::update
