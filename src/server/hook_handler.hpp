// SPDX-License-Identifier: GPL-3.0-or-later
// Handles requests with the hooks of a Python conf.
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

/// The hooks determine the client's address, the host and the DNS update. They run on the thread
/// that their conf was run on (`python::HookThreads`). If a hook fails or times out, that is
/// logged, and the request is answered with a failure. Owned by `RequestRouter`. Thread-safe.
class HookHandler {
public:
    /// The arguments outlive it.
    HookHandler(Authenticator& authenticator, UpdateService& updates, update::HostTable& hosts,
                AddressWatch& watch);

    /// To be called before requests use these settings; on one thread.
    void configure(const AnswerSettings& settings);

    /// To be called once, on the thread of `configure`, when the process has dropped its
    /// privileges. From then on this conf and later ones may run code on their threads.
    void begin();

    /// Whether requests must be passed with their header fields. On any thread.
    [[nodiscard]] bool needs_fields() const {
        return needs_fields_.load(std::memory_order_relaxed);
    }

    /// Completes a request whose settings have hooks. Moves the header fields out of `asked`.
    void handle(RequestContext& request, const http::Request& asked);

    /// As `HookThreads::Stopper::stop`, for the threads of all confs.
    [[nodiscard]] bool stop(base::Duration patience);
    /// Logs the remaining counts.
    void finish() { decider_.finish(); }

private:
    [[nodiscard]] bool handle_without_hooks(RequestContext& request, std::string_view key);
    class Job;
    void carry_out(std::shared_ptr<RequestContext> request, HookDecision decision);
    void on_timeout(HookTask& task);

    Authenticator& authenticator_;
    UpdateService& updates_;
    AddressWatch& watch_;
    HookDecider decider_;
    std::atomic<bool> needs_fields_ = false;
    python::HookLimits limits_{};
    bool has_begun_ = false;
    std::weak_ptr<python::HookThreads> threads_{};          ///< of the current conf
    std::vector<python::HookThreads::Stopper> stoppers_{};  ///< of all threads that may still run
};

}  // namespace sftdyn::server
