// SPDX-License-Identifier: GPL-3.0-or-later
// What the hooks of a Python conf make of a request.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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
    std::string host_text{};               ///< as the conf names it
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

    /// The first failure of a kind is said, the others are counted.
    void log_failure(const std::string& kind, const std::string& text);
    /// Says what is still only counted.
    void finish() { failures_.finish(); }
    /// A conf was run anew: what was hidden of its messages is looked for again.
    void forget_warnings();

private:
    [[nodiscard]] std::optional<std::string> ask_get_ip(HookTask& task, python::Call& call);
    [[nodiscard]] HookDecision decide_host(HookTask& task, python::Call& call);
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
    /// By host and warning.
    std::map<std::string, std::string> shown_warnings_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::server
