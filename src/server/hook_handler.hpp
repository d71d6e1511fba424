// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that the hooks of a Python conf decide.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "python/conf.hpp"
#include "python/hook_threads.hpp"
#include "server/address_watch.hpp"
#include "server/answer_settings.hpp"
#include "server/authenticator.hpp"
#include "server/hook_decider.hpp"
#include "server/hook_task.hpp"
#include "server/request_context.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// Lets the hooks say who asks, which host that is, and what the DNS server is told. They run where
/// their conf was run (`python::HookThreads`); one that fails or times out is logged, and its
/// request is answered with a failure. Owned by `RequestRouter`. Thread-safe.
class HookHandler {
public:
    /// What it works with outlives it.
    HookHandler(Authenticator& authenticator, UpdateService& updates, update::HostTable& hosts,
                AddressWatch& watch);

    /// Before requests come under these settings; on one thread.
    void configure(const AnswerSettings& settings);

    /// Once, when the process has given up what it does not need, on the thread of `configure`:
    /// then code of the conf may run on its threads, and so that of the next ones.
    void begin();

    /// Whether requests are to come with their header fields. On any thread.
    [[nodiscard]] bool needs_fields() const {
        return needs_fields_.load(std::memory_order_relaxed);
    }

    /// Completes a request whose settings have hooks, who take its header fields.
    void handle(RequestContext& request, const http::Request& asked);

    /// As `HookThreads::Stop`, of all that were begun.
    [[nodiscard]] bool stop(base::Duration patience);
    /// Says what is still only counted.
    void finish() { decider_.finish(); }

private:
    [[nodiscard]] bool handle_without_hooks(RequestContext& request, std::string_view key);
    class Job;
    void carry_out(const HookTaskPtr& task, HookDecision decision);
    void on_timeout(const HookTaskPtr& task);

    Authenticator& authenticator_;
    UpdateService& updates_;
    AddressWatch& watch_;
    HookDecider decider_;
    std::atomic<bool> needs_fields_ = false;
    python::HookLimits limits_{};
    bool has_begun_ = false;
    std::weak_ptr<python::HookThreads> threads_{};          ///< of the last conf
    std::vector<python::HookThreads::Stopper> stoppers_{};  ///< of all that may still run
};

}  // namespace sftdyn::server
