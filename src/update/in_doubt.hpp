// SPDX-License-Identifier: GPL-3.0-or-later
// UPDATEs that the server may still carry out.
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

/// What a fence has shown.
enum class FenceResult : std::uint8_t {
    passed,      ///< NOERROR, verified
    refused,     ///< another error code, verified: the server may not have put it behind the
                 ///< others
    unanswered,  ///< sent, and maybe answered later
    failed       ///< not sent, or answered by what can't be believed
};

/// A zone with something in doubt, and for how long the oldest of it is.
struct ZoneInDoubt {
    dns::Name zone{};
    base::Duration time{};
};

/// Keeps the UPDATEs in doubt, and the fence of each zone that tells when the server can't carry
/// them out any more. Owned by `DnsBackend`. Used on one thread.
///
/// A fence is a signed UPDATE of the same zone that changes nothing. A server carries out the
/// UPDATEs of a zone in the order in which it read them, so that its answer comes after theirs
/// (named, knotd and pdns_server do so). It resolves those with a smaller number that were written
/// to the same connection. What went another way may not have been read yet when the fence was: it
/// takes a second fence, sent when the first is answered. An answer that does not verify resolves
/// nothing, nor does the end of a connection.
class InDoubt {
public:
    /// Where a message was written to: the address's server, and which connection to it.
    struct Way {
        const void* server = nullptr;
        unsigned connection = 0;
        friend bool operator==(const Way&, const Way&) = default;
    };
    /// How a fence ended.
    struct FenceOutcome {
        FenceResult result = FenceResult::failed;
        Way way{};
        dns::DnsError failure{};  ///< unless it passed
    };
    using FenceDone = std::function<void(const FenceOutcome&)>;
    /// Sends a fence of `zone`, on the `attempt`-th of the ways that there are. The best is `way`,
    /// on which the last UPDATE in doubt went; `keep` was given with it. `done` is called once by
    /// `deadline`, and again if a verified answer comes later.
    using SendFence =
        std::function<void(const dns::Name& zone, const std::shared_ptr<void>& keep, const Way& way,
                           unsigned attempt, base::TimePoint deadline, FenceDone done)>;
    /// A fence has failed for a reason that another attempt would meet again.
    using OnBlocked = std::function<void(const dns::Name& zone, const dns::DnsError& failure)>;
    using Resolved = std::function<void()>;

    InDoubt(boost::asio::io_context& io, base::TimeSourcePtr time, SendFence send_fence,
            OnBlocked on_blocked)
        : io_(io),
          time_(std::move(time)),
          send_fence_(std::move(send_fence)),
          on_blocked_(std::move(on_blocked)) {}

    /// The number of what is sent now; larger than all before.
    [[nodiscard]] std::uint64_t next_number() { return ++last_number_; }

    /// The UPDATE with that number is in doubt. `keep` is kept until `resolved` is called: once,
    /// not from within this.
    void add(const dns::Name& zone, std::uint64_t number, const Way& way,
             std::shared_ptr<void> keep, Resolved resolved);

    /// The same for whatever a process before this one may have sent.
    void add_unknown(const dns::Name& zone, Resolved resolved);

    /// That UPDATE was answered after all.
    void answered(const dns::Name& zone, std::uint64_t number);

    /// All zones with something in doubt.
    [[nodiscard]] std::vector<ZoneInDoubt> zones() const;

    /// Sends no more fences, and takes everything as resolved: the process ends.
    void close();

private:
    struct DoubtfulUpdate {
        std::uint64_t number = 0;  ///< 0: of a process before
        Way way{};
        base::TimePoint since{};  ///< it has been in doubt
        std::shared_ptr<void> keep{};
        Resolved resolved{};
        std::uint64_t passed =
            0;  ///< the last number when a fence on another way was answered; 0: none was
    };
    struct Zone {
        explicit Zone(base::TimeSource& time) : timer(time.timer()) {}
        std::vector<DoubtfulUpdate> updates{};
        unsigned attempt = 0;
        base::Duration pause{};  ///< before the next fence
        bool under_way = false;  ///< a fence
        bool waiting = false;    ///< for the time of the next
        std::unique_ptr<base::Timer> timer;
    };
    using ZonePtr = std::shared_ptr<Zone>;

    void add(const dns::Name& zone, DoubtfulUpdate entry);
    void next(const dns::Name& name, const ZonePtr& zone, base::Duration pause);
    void send(const dns::Name& name, const ZonePtr& zone);
    void done(const dns::Name& name, const ZonePtr& zone, std::uint64_t number,
              const FenceOutcome& outcome);
    /// Takes out what the fence has resolved; true when it has got any further.
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
