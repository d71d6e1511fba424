// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that the hooks of a Python conf decide.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "http/message.hpp"
#include "python/conf.hpp"
#include "server/address_watch.hpp"
#include "server/answer_settings.hpp"
#include "server/authenticator.hpp"
#include "server/hook_threads.hpp"
#include "server/request_context.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// Lets the hooks say who asks, which host that is, and what the DNS server is told. They run on
/// the threads of `HookThreads`; one that fails or times out is logged, and its request is answered
/// with a failure. Owned by `RequestRouter`. Thread-safe.
class HookHandler {
public:
    /// What it works with outlives it. `interpreter` runs the hooks; null: the plugin's, which
    /// comes with the first conf.
    HookHandler(Authenticator& authenticator, UpdateService& updates, update::HostTable& hosts,
                AddressWatch& watch, python::Interpreter* interpreter = nullptr);

    /// Before requests come under these settings; on one thread.
    void configure(const AnswerSettings& settings);

    /// Whether requests are to come with their header fields. On any thread.
    [[nodiscard]] bool needs_fields() const {
        return needs_fields_.load(std::memory_order_relaxed);
    }

    /// Completes a request whose settings have hooks, who take its header fields.
    void handle(RequestContext& request, const http::Request& asked);

    /// As `HookThreads::stop`.
    [[nodiscard]] bool stop(base::Duration patience);
    /// Says what is still only counted.
    void finish() { failures_.finish(); }

private:
    struct Task;
    struct HookDecision;
    using TaskPtr = std::shared_ptr<Task>;

    [[nodiscard]] bool handle_without_hooks(RequestContext& request, std::string_view key);
    void run_hooks(const TaskPtr& task);
    [[nodiscard]] HookDecision decide(Task& task);
    [[nodiscard]] HookDecision decide_host(Task& task, python::Call& call,
                                           const std::string& address, bool is_address);
    [[nodiscard]] bool find_host(Task& task, python::Call& call, HookDecision& decision);
    [[nodiscard]] bool ask_get_host(Task& task, python::Call& call, HookDecision& decision);
    void read_script(const Task& task, python::Call& call, const std::vector<std::string>& lines,
                     HookDecision& decision);
    [[nodiscard]] bool may_publish(const Task& task, const std::string& what,
                                   const boost::asio::ip::address& address);
    [[nodiscard]] bool may_publish(const Task& task, HookDecision& decision);
    [[nodiscard]] std::string shown_warning(const Task& task, python::Call& call,
                                            const std::string& host, const std::string& warning);
    [[nodiscard]] bool is_so(const RequestContext& request, const update::RrsetKey& target,
                             std::string_view rdata) const;
    void carry_out(const TaskPtr& task, HookDecision decision);
    void on_timeout(const TaskPtr& task);
    void log_failure(const std::string& kind, const std::string& text);

    Authenticator& authenticator_;
    UpdateService& updates_;
    update::HostTable& hosts_;
    AddressWatch& watch_;
    python::Interpreter* interpreter_;
    base::LogThrottle failures_;  ///< of the conf's code
    base::Mutex mutex_;
    static constexpr std::size_t most_warnings = 1000;
    /// By host and warning.
    std::map<std::string, std::string> shown_warnings_ GUARDED_BY(mutex_);
    std::atomic<bool> needs_fields_ = false;
    std::unique_ptr<HookThreads> threads_;  ///< once there were hooks
};

}  // namespace sftdyn::server
