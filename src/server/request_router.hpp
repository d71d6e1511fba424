// SPDX-License-Identifier: GPL-3.0-or-later
// What stands behind the HTTP server. Start reading here: docs/architecture.md follows one request
// from file to file.
#pragma once

#include <memory>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "http/handler.hpp"
#include "http/observer.hpp"
#include "protocol/secret_url.hpp"
#include "server/account_handler.hpp"
#include "server/address_watch.hpp"
#include "server/answer_settings.hpp"
#include "server/authenticator.hpp"
#include "server/hook_handler.hpp"
#include "server/request_context.hpp"
#include "server/secret_url_handler.hpp"
#include "server/update_service.hpp"
#include "telemetry/request_log.hpp"

namespace sftdyn::server {

/// Finds out what a request asks, and hands it to the handler of that protocol. It owns those
/// handlers. Thread-safe.
class RequestRouter : public http::Handler, public http::Observer {
public:
    /// What it works with outlives it, and so does the HTTP server: it owes that responses.
    RequestRouter(Authenticator& authenticator, UpdateService& updates, update::HostTable& hosts,
                  telemetry::RequestLog& request_log, AddressWatch& watch);

    /// Requests that come from now on are answered by these. On one thread.
    void configure(std::shared_ptr<const AnswerSettings> settings);

    std::optional<http::Response> handle(const http::Request& request,
                                         const std::function<http::Later()>& defer) override;
    [[nodiscard]] bool needs_fields() const override { return hooks_.needs_fields(); }
    void on_refused(const http::RefusedRequest& request) override;

    /// As HookHandler's.
    void begin_hooks() { hooks_.begin(); }
    [[nodiscard]] bool stop_hooks(base::Duration patience) { return hooks_.stop(patience); }
    /// Says what is still only counted.
    void finish();

private:
    void route(RequestContext& context, const http::Request& request);
    void route_key(RequestContext& context, const accounts::KeyEntry& entry);
    void route_longer(RequestContext& context, const http::Request& request,
                      const protocol::secret_url::LongerTarget& longer);
    [[nodiscard]] bool route_dialect(RequestContext& context, const http::Request& request);
    [[nodiscard]] std::shared_ptr<const AnswerSettings> settings() const;

    Authenticator& authenticator_;
    telemetry::RequestLog& request_log_;
    AddressWatch& watch_;
    mutable base::Mutex mutex_;  ///< held for no longer than it takes to copy what it guards
    std::shared_ptr<const AnswerSettings> settings_ GUARDED_BY(mutex_) =
        std::make_shared<const AnswerSettings>();
    base::LogThrottle warnings_;  ///< which clients don't get what they ask for
    SecretUrlHandler secret_urls_;
    AccountHandler accounts_;
    HookHandler hooks_;
};

}  // namespace sftdyn::server
