// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's backend on real DNS servers: which servers serve which zone, tried in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "update/backend.hpp"
#include "update/engine_thread.hpp"
#include "update/in_doubt.hpp"
#include "update/query_sender.hpp"
#include "update/refusal_explainer.hpp"
#include "update/server_groups.hpp"

namespace sftdyn::update {

/// The state of one address of a server.
struct ServerState {
    std::string name{};               ///< address and port
    std::optional<dns::Name> zone{};  ///< that it serves; absent: all zones without their own entry
    std::optional<dns::DnsError> failure{};  ///< absent: it answers and accepts our signature
};

/// True when every server, for every zone, has at least one address that answers.
[[nodiscard]] bool can_be_asked(const std::vector<ServerState>& addresses);

/// When a probe ends.
enum class ProbeEnd : std::uint8_t {
    all_answered,
    can_be_asked,  ///< addresses that have not answered by then count as silent
};

/// Owns the connections to the servers and the UPDATEs in doubt. When one address of a server does
/// not answer, the next one is tried. Owned by `server::Service`; used on the thread of `io`, which
/// is the engine's; the functions of `Backend` assert that.
class DnsBackend : public Backend {
public:
    explicit DnsBackend(boost::asio::io_context& io);
    /// With the given clock and servers instead of the system's.
    DnsBackend(boost::asio::io_context& io, base::TimeSourcePtr time, MakeServer make_server);

    /// `groups` may be in any order; a name is served by the entry with the longest zone that
    /// contains it. Operations in flight or in doubt at a server that was removed still run to
    /// their end.
    void configure(const std::vector<ZoneServers>& groups) REQUIRES(engine_thread);

    /// Ends all operations, at the end of the process.
    void close() REQUIRES(engine_thread);

    void find_zone(const dns::Name& name, base::TimePoint deadline, Done<dns::Name> done) override;
    void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                 base::TimePoint deadline, Done<ServedRecords> done) override;
    void read_serial(const dns::Name& zone, base::TimePoint deadline,
                     Done<SerialReading> done) override;
    [[nodiscard]] bool answers_queries(const dns::Name& zone) const override;
    void apply(const dns::Name& zone, dns::UpdateContent content, base::TimePoint deadline,
               Done<dns::Answer> done, std::function<void()> resolved) override;
    void contact(const dns::Name& zone, std::function<void()> resolved) override;

    /// Sends a signed query to every address of every server. Calls `done` when the condition `end`
    /// is met, or at the deadline.
    void probe(base::TimePoint deadline, ProbeEnd end,
               std::function<void(const std::vector<ServerState>&)> done) const
        REQUIRES(engine_thread);

    /// The zones with an unanswered UPDATE that the server may still carry out. Nothing is sent to
    /// them.
    [[nodiscard]] std::vector<ZoneInDoubt> in_doubt() const REQUIRES(engine_thread) {
        return in_doubt_.zones();
    }

private:
    struct Fence;

    struct SentUpdate;
    void attempt(const std::shared_ptr<SentUpdate>& update) REQUIRES(engine_thread);
    void attempted(const std::shared_ptr<SentUpdate>& update, ServerGroup::GroupServer& member,
                   std::uint64_t number, dns::Reply reply, dns::Delivery delivery)
        REQUIRES(engine_thread);
    bool goes_to_next_address(const std::shared_ptr<SentUpdate>& update,
                              ServerGroup::GroupServer& member, dns::Reply& reply,
                              const dns::Delivery& delivery) REQUIRES(engine_thread);
    struct FenceWay {
        ServerGroupPtr group;
        std::size_t member = 0;
    };
    [[nodiscard]] std::vector<FenceWay> fence_ways(const dns::Name& zone,
                                                   const ServerGroupPtr& before,
                                                   const InDoubt::Way& last, unsigned attempt) const
        REQUIRES(engine_thread);
    void send_fence(const std::shared_ptr<Fence>& fence) REQUIRES(engine_thread);

    boost::asio::io_context& io_;
    base::TimeSourcePtr time_;
    ServerGroups groups_ GUARDED_BY(engine_thread);
    QuerySender queries_ GUARDED_BY(engine_thread);
    RefusalExplainer explainer_ GUARDED_BY(engine_thread);
    InDoubt in_doubt_ GUARDED_BY(engine_thread);
};

}  // namespace sftdyn::update
