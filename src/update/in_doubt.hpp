// SPDX-License-Identifier: GPL-3.0-or-later
// Tracks the UPDATEs that a server may still carry out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/time_source.hpp"
#include "dns/message.hpp"
#include "dns/name.hpp"

namespace sftdyn::update {

/// The result of a fence query.
enum class FenceResult : std::uint8_t {
    passed,   ///< NOERROR, verified
    refused,  ///< another RCODE, verified: the server may have answered before the earlier UPDATEs
    unanswered,  ///< sent; the answer may still come
    failed       ///< not sent, or the answer did not verify
};

/// A zone with UPDATEs in doubt, and how long the oldest has been in doubt.
struct ZoneInDoubt {
    dns::Name zone{};
    base::Duration time{};
};

/// Keeps the UPDATEs in doubt, and sends fence queries in each zone to learn when the server can no
/// longer carry them out. Owned by `DnsBackend`. Used on one thread.
///
/// A fence query is a signed UPDATE of the same zone that changes nothing. A server carries out the
/// UPDATEs of a zone in the order in which it has read them (named, knotd and pdns_server do so);
/// when it answers the fence query, it has therefore handled the earlier ones. The answer resolves
/// the UPDATEs with a smaller number that were written to the same connection. An UPDATE that was
/// sent another way may not have been read before the fence query; it is resolved by a second fence
/// query, sent after the first was answered. An answer that does not verify resolves nothing, and
/// neither does the end of a connection.
class InDoubt {
public:
    /// The way a message was sent: the address's server, and the connection to it.
    struct Way {
        const void* server = nullptr;
        unsigned connection = 0;
        friend bool operator==(const Way&, const Way&) = default;
    };
    /// The outcome of a fence query.
    struct FenceOutcome {
        FenceResult result = FenceResult::failed;
        Way way{};
        dns::DnsError failure{};  ///< set unless the fence query has passed
    };
    using FenceDone = std::function<void(const FenceOutcome&)>;
    /// Sends a fence query for `zone` on the `attempt`-th of the possible ways. The best one is
    /// `way`, which the last UPDATE in doubt was sent on; `keep` was given with that UPDATE. `done`
    /// is called once by `deadline`, and again if a verified answer comes later.
    using SendFence =
        std::function<void(const dns::Name& zone, const std::shared_ptr<void>& keep, const Way& way,
                           unsigned attempt, base::TimePoint deadline, FenceDone done)>;
    /// Called when a fence query has failed for a reason that a retry would not remove.
    using OnBlocked = std::function<void(const dns::Name& zone, const dns::DnsError& failure)>;
    using Resolved = std::function<void()>;

    InDoubt(boost::asio::io_context& io, base::TimeSourcePtr time, SendFence send_fence,
            OnBlocked on_blocked)
        : io_(io),
          time_(std::move(time)),
          send_fence_(std::move(send_fence)),
          on_blocked_(std::move(on_blocked)) {}

    /// The number of the message that is sent next; larger than all earlier numbers.
    [[nodiscard]] std::uint64_t next_number() { return ++last_number_; }

    /// Adds the UPDATE with this number. `keep` is held until `resolved` is called, which happens
    /// once, after this has returned.
    void add(const dns::Name& zone, std::uint64_t number, const Way& way,
             std::shared_ptr<void> keep, Resolved resolved);

    /// The same for UPDATEs that an earlier process may have sent.
    void add_unknown(const dns::Name& zone, Resolved resolved);

    /// The UPDATE was answered after all.
    void answered(const dns::Name& zone, std::uint64_t number);

    /// All zones with UPDATEs in doubt.
    [[nodiscard]] std::vector<ZoneInDoubt> zones() const;

    /// Stops sending fence queries and treats everything as resolved, at the end of the process.
    void close();

private:
    struct DoubtfulUpdate {
        std::uint64_t number = 0;  ///< 0: from an earlier process
        Way way{};
        base::TimePoint since{};  ///< when it became doubtful
        std::shared_ptr<void> keep{};
        Resolved resolved{};
        std::uint64_t passed = 0;  ///< the last number when a fence query on another way was
                                   ///< answered; 0: none was answered
    };
    struct Zone {
        explicit Zone(base::TimeSource& time) : timer(time.timer()) {}
        std::vector<DoubtfulUpdate> updates{};
        unsigned attempt = 0;
        base::Duration pause{};  ///< before the next fence query
        bool under_way = false;  ///< a fence query is in flight
        bool waiting = false;    ///< for the time of the next fence query
        std::unique_ptr<base::Timer> timer;
    };
    using ZonePtr = std::shared_ptr<Zone>;

    void add(const dns::Name& zone, DoubtfulUpdate entry);
    void next(const dns::Name& name, const ZonePtr& zone, base::Duration pause);
    void send(const dns::Name& name, const ZonePtr& zone);
    void done(const dns::Name& name, const ZonePtr& zone, std::uint64_t number,
              const FenceOutcome& outcome);
    /// Moves the UPDATEs that the fence query has resolved into `resolved`. Returns true when it
    /// has made progress.
    static bool pass(Zone& zone, std::uint64_t fence, std::uint64_t last_number,
                     const FenceOutcome& outcome, std::vector<DoubtfulUpdate>& resolved);
    void finish(const dns::Name& name, const ZonePtr& zone,
                const std::vector<DoubtfulUpdate>& resolved);

    boost::asio::io_context& io_;
    base::TimeSourcePtr time_;
    SendFence send_fence_;
    OnBlocked on_blocked_;
    std::map<dns::Name, ZonePtr> zones_;
    std::uint64_t last_number_ = 0;
    bool closed_ = false;
};

}  // namespace sftdyn::update
