// SPDX-License-Identifier: GPL-3.0-or-later
// What the hooks of a Python conf make of a request.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "dns/name.hpp"
#include "python/conf.hpp"
#include "server/hook_task.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// What the hooks made of a request.
struct HookDecision {
    enum class Action {
        failed,
        key_failed,  ///< a hook that was given the key: it may have failed because of it
        address,
        refused,  ///< the key is right, and the address is not to be published
        bad_key,
        unchanged,
        update
    } action = Action::failed;
    std::string address_text{};  ///< with `address`: the answer
    dns::Name host{};
    std::string host_text{};  ///< as the conf names it
    /// Of the conf's own host and value, where one of them is none of ours: what is confirmed of
    /// it decides (`confirm`). 0: both are ours.
    std::uint64_t pair = 0;
    bool has_name = true;                  ///< `host` is one
    HookUpdate update{};                   ///< its RRset is set once the host is known
    boost::asio::ip::address published{};  ///< that `update` gives the host; unspecified: none
};

/// Asks the hooks who a request comes from, which host it is for, and what the DNS server is told;
/// what they say is checked, and what is wrong with it logged. Owned by `HookHandler`. Thread-safe.
class HookDecider {
public:
    /// What it works with outlives it.
    HookDecider(UpdateService& updates, update::HostTable& hosts);

    /// Asks the hooks of `conf`, on its thread.
    [[nodiscard]] HookDecision decide(HookTask& task, const python::Conf& conf);

    /// Whether the host is known to have that already.
    [[nodiscard]] bool is_so(const RequestContext& request, const update::RrsetKey& target,
                             std::string_view rdata) const;

    /// A pair's script was carried out, or not. On any thread.
    void confirm(std::uint64_t pair, bool is_so);

    /// The first failure of a kind is said, the others are counted.
    void log_failure(const std::string& kind, const std::string& text);
    /// Says what is still only counted.
    void finish() { failures_.finish(); }
    /// A conf was run anew: what was hidden of its messages is looked for again.
    void forget_warnings();

private:
    /// What get_ip gave.
    struct Address {
        std::string text{};  ///< if it is one
        bool is_address = false;
        std::string fault{};  ///< what is wrong with it, where an address is needed
    };
    [[nodiscard]] std::optional<Address> ask_get_ip(HookTask& task, python::Call& call);
    [[nodiscard]] HookDecision decide_host(HookTask& task, python::Call& call,
                                           const Address& address);
    void ask_commands(HookTask& task, python::Call& call, HookDecision& decision);
    void name_by_script(HookDecision& decision);
    void decide_pair(HookTask& task, python::Call& call, HookDecision& decision);
    [[nodiscard]] bool is_confirmed(std::uint64_t pair);
    [[nodiscard]] bool find_host(HookTask& task, python::Call& call, HookDecision& decision);
    [[nodiscard]] bool ask_get_host(HookTask& task, python::Call& call, HookDecision& decision);
    void read_script(const HookTask& task, python::Call& call,
                     const std::vector<std::string>& lines, HookDecision& decision);
    [[nodiscard]] bool may_publish(const HookTask& task, const std::string& what,
                                   const boost::asio::ip::address& address);
    [[nodiscard]] bool may_publish(const HookTask& task, HookDecision& decision);
    [[nodiscard]] std::string shown_warning(const HookTask& task, python::Call& call,
                                            const std::string& host, const std::string& warning);

    UpdateService& updates_;
    update::HostTable& hosts_;
    base::LogThrottle failures_;  ///< of the conf's code
    base::Mutex mutex_;
    static constexpr std::size_t most_warnings = 1000;
    static constexpr std::size_t most_pairs = 100'000;
    /// By host and warning.
    std::map<std::string, std::string> shown_warnings_ GUARDED_BY(mutex_);
    /// Pairs whose scripts were carried out.
    std::unordered_set<std::uint64_t> confirmed_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::server
