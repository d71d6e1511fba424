// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that the hooks of a Python conf decide.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "http/message.hpp"
#include "python/conf.hpp"
#include "server/address_watch.hpp"
#include "server/answer_settings.hpp"
#include "server/authenticator.hpp"
#include "server/hook_decider.hpp"
#include "server/hook_task.hpp"
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
    void finish() { decider_.finish(); }

private:
    [[nodiscard]] bool handle_without_hooks(RequestContext& request, std::string_view key);
    void run_hooks(const HookTaskPtr& task);
    void carry_out(const HookTaskPtr& task, HookDecision decision);
    void on_timeout(const HookTaskPtr& task);

    Authenticator& authenticator_;
    UpdateService& updates_;
    AddressWatch& watch_;
    python::Interpreter* interpreter_;
    HookDecider decider_;
    std::atomic<bool> needs_fields_ = false;
    std::unique_ptr<HookThreads> threads_;  ///< once there were hooks
};

}  // namespace sftdyn::server
