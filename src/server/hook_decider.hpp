// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the hooks of a Python conf for a request, and decides what to do.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/log_throttle.hpp"
#include "dns/name.hpp"
#include "python/conf.hpp"
#include "server/hook_task.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// The decision of the hooks about a request.
struct HookDecision {
    enum class Action {
        failed,
        key_failed,  ///< a hook that got the key failed, possibly because of the key
        address,
        refused,  ///< the key is valid, but the address must not be published
        bad_key,
        unchanged,
        update
    } action = Action::failed;
    std::string address_text{};  ///< the answer, with `address`
    dns::Name host{};
    std::string host_text{};  ///< the host as the conf names it
    bool has_name = true;     ///< `host` is a host name
    /// Its RRset is set when the host is known. It has a pair if host or value is an object of the
    /// conf that we don't interpret.
    HookUpdate update{};
    boost::asio::ip::address
        published{};  ///< the address that `update` publishes for the host; unspecified: none
};

/// Asks the hooks for the client's address, the host, and the DNS update of a request. Checks their
/// results and logs errors. Owned by `HookHandler`. Thread-safe.
class HookDecider {
public:
    /// The arguments outlive it.
    HookDecider(UpdateService& updates, update::HostTable& hosts);

    /// Runs the hooks of `conf`, on the conf's thread.
    [[nodiscard]] HookDecision decide(HookTask& task, const python::Conf& conf);

    /// Whether the host is known to have this record data already.
    [[nodiscard]] bool is_so(const AnswerSettings& settings, base::TimePoint began,
                             const update::RrsetKey& target, std::string_view rdata) const;

    using MakeText = std::function<std::string()>;
    /// Logs the first failure of a kind, and counts the others. The text is made only if it is
    /// logged: looking for secrets in it is slow, and whoever sends wrong keys causes failures.
    void log_failure(const std::string& kind, const MakeText& text);
    /// Logs the remaining counts.
    void finish() { failures_.finish(); }

private:
    /// The result of get_ip.
    struct Address {
        std::string text{};  ///< as text, if it is an address
        bool is_address = false;
        MakeText fault{};  ///< says what is wrong with it, if it is not an address
    };
    [[nodiscard]] std::optional<Address> ask_get_ip(HookTask& task, python::Call& call);
    [[nodiscard]] HookDecision decide_host(HookTask& task, python::Call& call,
                                           const Address& address);
    void ask_commands(HookTask& task, python::Call& call, HookDecision& decision);
    void name_by_script(HookDecision& decision);
    void decide_pair(HookTask& task, python::Call& call, HookDecision& decision);
    [[nodiscard]] bool find_host(HookTask& task, python::Call& call, HookDecision& decision);
    [[nodiscard]] bool ask_get_host(HookTask& task, python::Call& call, HookDecision& decision);
    void read_script(const HookTask& task, python::Call& call,
                     const std::vector<std::string>& lines, HookDecision& decision);
    [[nodiscard]] bool may_publish(const HookTask& task, const std::string& what,
                                   const boost::asio::ip::address& address);
    [[nodiscard]] bool may_publish(const HookTask& task, HookDecision& decision);
    void log_failure(const python::HookError& error);

    UpdateService& updates_;
    update::HostTable& hosts_;
    base::LogThrottle failures_;  ///< failures of the conf's code
};

}  // namespace sftdyn::server
