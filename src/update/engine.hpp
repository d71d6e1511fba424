// The engine: brings what the DNS serves to what was asked for, with as few messages as possible.
//
// For each target (host and family) desired records are served one after the other, in the order
// they came. For each zone changes are collected while an UPDATE is under way and go out together
// when it is answered (group commit). An engine belongs to one thread; only `ServedCache` and
// `HostTable` are shared.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "update/backend.hpp"
#include "update/change_rate_limiter.hpp"
#include "update/rrset_key.hpp"
#include "update/served_cache.hpp"

namespace sftdyn::update {

/// What is usual says the configuration: there are no defaults here.
struct Limits {
    base::Duration timeout{};          ///< a desired is answered within it
    base::Duration verify_interval{};  ///< how long a confirmed state is believed
    std::size_t queue{};               ///< desired records that may wait for one zone
    std::size_t batch{};               ///< changes in one UPDATE at the most
    std::size_t batch_octets =
        60000;                     ///< and their octets; a message holds 65535 (RFC 1035 §4.2.2)
    unsigned updates_in_flight{};  ///< UPDATEs per zone that may be under way at once
    unsigned queries_in_flight{};  ///< queries in all that may be under way at once
    unsigned changes_burst{};      ///< changes of a host at once; 0: no budget
    base::Duration changes_refill{};  ///< one more change each
};

/// What shall be served for a target.
struct DesiredRecord {
    Target target;
    std::uint32_t ttl = 30;  ///< seconds
    dns::Change::Kind kind = dns::Change::Kind::replace;
    std::string rdata{};
    bool reverse = false;    ///< keep the address's PTR record too, where its zone is ours
    bool unmetered = false;  ///< costs the host's budget nothing
    bool at_source =
        false;  ///< the request came from that address: only of such a one is the PTR record set
};

enum class UpdateStatus : std::uint8_t {
    committed,    ///< the server has confirmed the change
    unchanged,    ///< the server served it so already
    failed,       ///< not done, or not known to be done
    over_budget,  ///< the host has spent its budget of changes
    overloaded    ///< too many wait already
};

struct UpdateOutcome {
    UpdateStatus status{};
    std::chrono::seconds retry_after{};  ///< with over_budget and overloaded
};

class Engine {
public:
    using Done = std::function<void(UpdateOutcome)>;
    /// One result for each desired, in their order.
    using GroupDone = std::function<void(const std::vector<UpdateOutcome>&)>;
    using Clock = std::function<base::TimePoint()>;
    /// Told of each failed desired, and each failed message, once.
    using OnFailure =
        std::function<void(const dns::Name& host, dns::Type type, const dns::DnsError& failure)>;

    Engine(Backend& backend, HostTable& hosts, ServedCache& known, const Limits& limits,
           Clock clock, OnFailure on_failure);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// `done` is called once, within the timeout, maybe before this returns.
    void submit(DesiredRecord desired, Done done);

    /// As `submit`, for desired records that belong together: those of one zone go out in one
    /// UPDATE, all or none, if any of them changes anything. Each is for another target.
    void submit_group(std::vector<DesiredRecord> desired_records, GroupDone done);

    /// Sends messages one after the other, each by itself; one that the server refuses does not
    /// keep back those behind it. `about` is the host that pays for it and the record that failures
    /// are told of. They wait in the queues of both families of the host, and what was accepted
    /// after them waits until the last is done. `done` is called once, within the timeout:
    /// `committed` when the server has confirmed all of them. With `served` nothing is sent, and
    /// the status is `unchanged`, if that is the record data of the one record that the server has
    /// there.
    void submit_messages(const Target& about, std::vector<dns::UpdateMessage> messages, Done done,
                         std::string served = {});

    /// Told of each UPDATE that was answered or given up: its changes, and the time it took.
    using OnUpdate = std::function<void(std::size_t changes, base::Duration took)>;
    void on_update(OnUpdate told) { on_update_ = std::move(told); }

    /// Whether the last that is known of the desired's target is what it asks for.
    [[nodiscard]] bool is_still_so(const DesiredRecord& desired) const;

    /// Takes it that the host lives in that zone, unless it is known, or being asked, where it
    /// lives. True when it lives there.
    bool believe_zone(HostId host, const dns::Name& zone);

    /// Ends what has passed its deadline. Call it often while `busy()`.
    void tick();

    /// True while a desired or a message waits.
    [[nodiscard]] bool busy() const { return waiting_ > 0; }
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    /// Bookkeeping that stands for targets at work; none of it is left when nothing waits and all
    /// is resolved.
    [[nodiscard]] std::size_t slots() const { return slots_.size(); }
    /// Deadlines that are still watched: none when nothing waits.
    [[nodiscard]] std::size_t deadlines() const {
        return deadlines_.size() + series_deadlines_.size();
    }

    /// New limits; with `servers_changed` all that is known of zones and records is asked anew, and
    /// what is under way is told to nobody before the servers that are named now have confirmed it.
    void reconfigure(const Limits& limits, bool servers_changed);

private:
    using ZoneIndex = std::uint32_t;
    static constexpr ZoneIndex no_zone = ~ZoneIndex(0);
    static constexpr auto overload_pause = std::chrono::seconds(5);
    /// At least one.
    static std::chrono::seconds whole_seconds(base::Duration duration);

    struct Series;
    /// Wishes that belong together, or the places that messages take in the queues of a host.
    struct AtomicGroup {
        struct Member {
            Target target;
            std::uint64_t ticket = 0;
            bool open = true;  ///< has no result yet
        };
        std::vector<Member> members{};
        std::vector<UpdateOutcome> results{};
        std::size_t open = 0;  ///< members without a result
        std::size_t ready =
            0;  ///< members that are first of their targets, with what is served known
        GroupDone done{};
        std::shared_ptr<Series>
            series{};  ///< whose places these are; null: they are desired records
    };
    using AtomicGroupPtr = std::shared_ptr<AtomicGroup>;
    struct Waiting {
        DesiredRecord desired;
        Done done;  ///< of a desired that stands alone
        base::TimePoint deadline;
        std::uint64_t ticket;
        AtomicGroupPtr group{};
        std::size_t index = 0;  ///< in `group`
    };
    enum class Phase : std::uint8_t { idle, finding, held, asking, ready, queued, in_flight };
    /// Targets whose changes go out in one message, or not at all.
    using Unit = std::vector<Target>;
    struct Slot {
        Phase phase = Phase::idle;
        std::vector<Waiting> waiting;
        std::optional<std::vector<std::string>>
            served;                 ///< what the server serves, as far as is known
        base::TimePoint served_at;  ///< since when
        bool verified = false;      ///< `served` was asked for the desired that is first now
        std::uint64_t ticket = 0;   ///< of the desired that `change` is for, or that is gathered
        bool paid = false;          ///< the change has cost its host something
        bool same = false;          ///< the change changes nothing: it goes along with others
        bool invalidated = false;   ///< what is being asked may have been changed meanwhile
        dns::Change change;
    };
    /// Messages that are sent one after the other.
    struct Series {
        Target about;
        std::vector<dns::UpdateMessage> messages;
        Done done;  ///< empty once it was called
        base::TimePoint deadline;
        std::string served{};     ///< makes it needless, when it is; empty: nothing does
        AtomicGroupPtr places{};  ///< in the host's queues; null once they are given up
        std::size_t next = 0;     ///< of the messages
        bool started = false;
        bool in_flight = false;  ///< a message whose outcome is open
        bool refused = false;    ///< one of them
    };
    using SeriesPtr = std::shared_ptr<Series>;
    struct Zone {
        dns::Name name;
        std::size_t waiting = 0;                ///< desired records
        std::deque<Unit> clean;                 ///< changes to be sent
        std::deque<Unit> quarantined;           ///< changes of targets that failed alone before
        std::deque<std::vector<Unit>> retries;  ///< parts of a refused batch, in order
        std::deque<SeriesPtr> series;           ///< whose next message is to be sent
        std::vector<Target> held;               ///< must not ask while something is in doubt
        unsigned in_flight = 0;
        unsigned in_doubt = 0;    ///< UPDATEs that the server may still carry out: nothing else is
                                  ///< sent or asked before
        bool contacting = false;  ///< one of them is what an earlier process may have sent
        bool quarantined_turn = false;
        bool series_turn = false;
    };
    struct Batch;

    void advance(const Target& target);
    bool decide(const Target& target, Slot& slot);
    void retire(const Target& target);
    void find_zone(const Target& target, Slot& slot);
    void look_up(const Target& target, Slot& slot);
    void looked_up(const Target& target, dns::Outcome<std::vector<std::string>> outcome);
    bool decide_group(const AtomicGroupPtr& group);
    void prepare(const Target& target, Slot& slot);
    void refund(const Target& target, Slot& slot);
    void enqueue(Unit unit);
    void add(DesiredRecord desired, base::TimePoint deadline, Done done,
             const AtomicGroupPtr& group, std::size_t index);
    void enqueue(DesiredRecord desired, base::TimePoint deadline, Done done,
                 const AtomicGroupPtr& group, std::size_t index);
    static bool needs_served(const Series& series, const Target& target) {
        return !series.served.empty() && target == series.about;
    }
    void forget_deadlines();
    void close(const Waiting& waiting, UpdateOutcome result);
    void abandon(const AtomicGroupPtr& group);
    void flush(ZoneIndex zone);
    std::vector<Unit> next_batch(Zone& zone);
    bool still_wanted(const Target& target);
    void send(ZoneIndex zone, std::vector<Unit> units);
    void applied(const std::shared_ptr<Batch>& batch, const dns::Reply& reply);
    void resolved(const std::shared_ptr<Batch>& batch);
    void contacted(ZoneIndex zone);
    void blocked(const dns::Name& zone, const dns::DnsError& failure);
    void give_up_sending(Zone& zone, const dns::DnsError& failure);
    static std::vector<Target> take_unsent(Zone& zone);
    static void undo_decision(Slot& slot);
    void start_over(const Target& target);
    void committed(const Target& target);
    void refused(const Target& target, const dns::DnsError& failure);
    void release_held(Zone& zone);
    void take_places(const SeriesPtr& series);
    void start(const SeriesPtr& series);
    void give_up_places(const SeriesPtr& series);
    void next_message(const SeriesPtr& series);
    void enqueue(const SeriesPtr& series, ZoneIndex zone);
    static bool series_is_next(Zone& zone);
    void send_message(ZoneIndex zone);
    void answered(const SeriesPtr& series, const dns::Reply& reply);
    void finish(const SeriesPtr& series, UpdateOutcome result);
    void fail(const SeriesPtr& series, const dns::DnsError& failure);
    void invalidate(const dns::UpdateMessage& message);
    void keep_reverse(const DesiredRecord& desired, const std::vector<std::string>& before);
    void say_foreign_pointer(const Target& pointer, const std::vector<std::string>& served,
                             const std::string& own);

    void when_query_free(std::function<void()> ask);
    void query_done();

    void finish_front(const Target& target, Slot& slot, UpdateOutcome result);
    void fail_all(const Target& target, const dns::DnsError& failure);
    void count_out(const Target& target);
    [[nodiscard]] dns::DnsError too_late(ZoneIndex zone) const;
    [[nodiscard]] base::TimePoint backend_deadline(base::TimePoint deadline) const;
    [[nodiscard]] ZoneIndex zone_of(HostId host) const;
    ZoneIndex zone_index(const dns::Name& name);
    void set_zone(HostId host, ZoneIndex zone);

    Backend& backend_;
    HostTable& hosts_;
    ServedCache& known_;
    Limits limits_;
    Clock clock_;
    OnFailure on_failure_;
    OnUpdate on_update_ = [](std::size_t, base::Duration) {};
    ChangeRateLimiter rate_limiter_;

    std::unordered_map<Target, Slot> slots_;
    std::deque<Zone> zones_;
    std::map<dns::Name, ZoneIndex> zone_indices_;
    std::vector<ZoneIndex> zone_of_;  ///< by host
    std::unordered_set<Target> quarantined_;
    struct Deadline {
        base::TimePoint at;
        Target target;
        std::uint64_t ticket;
        friend bool operator>(const Deadline& a, const Deadline& b) {
            return std::pair(a.at, a.ticket) > std::pair(b.at, b.ticket);
        }
    };
    std::vector<Deadline> deadlines_;  ///< a heap: a new configuration may bring shorter ones
    std::deque<SeriesPtr> series_deadlines_;
    std::size_t open_series_ = 0;
    std::deque<std::function<void()>> queries_waiting_;
    unsigned queries_in_flight_ = 0;
    std::size_t waiting_ = 0;
    std::size_t zone_unresolved_ = 0;  ///< desired records whose zone is not known yet
    std::uint64_t next_ticket_ = 1;
    unsigned generation_ = 0;  ///< of the configuration
    base::TimePoint next_sweep_;
};

}  // namespace sftdyn::update
