// SPDX-License-Identifier: GPL-3.0-or-later
// The handler of the HTTP server's requests. Start reading here: docs/architecture.md follows one
// request from file to file.
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

/// Recognizes the protocol of a request, and passes it to that protocol's handler. Owns the
/// handlers. Thread-safe.
class RequestRouter : public http::Handler, public http::Observer {
public:
    /// The arguments outlive it, and so does the HTTP server, which it still sends responses to.
    RequestRouter(Authenticator& authenticator, UpdateService& updates, update::HostTable& hosts,
                  telemetry::RequestLog& request_log, AddressWatch& watch);

    /// Sets the settings for all later requests. On one thread.
    void configure(std::shared_ptr<const AnswerSettings> settings);

    std::optional<http::Response> handle(const http::Request& request,
                                         const std::function<http::Later()>& defer) override;
    [[nodiscard]] bool needs_fields() const override { return hooks_.needs_fields(); }
    void on_refused(const http::RefusedRequest& request) override;

    /// See HookHandler.
    void begin_hooks() { hooks_.begin(); }
    [[nodiscard]] bool stop_hooks(base::Duration patience) { return hooks_.stop(patience); }
    /// Logs the remaining counts.
    void finish();

private:
    void route(RequestContext& context, const http::Request& request);
    void route_key(RequestContext& context, const accounts::KeyEntry& entry);
    void route_longer(RequestContext& context, const http::Request& request,
                      const protocol::secret_url::LongerTarget& longer);
    [[nodiscard]] bool route_dialect(RequestContext& context, const http::Request& request,
                                     bool is_wrong_key);
    [[nodiscard]] std::shared_ptr<const AnswerSettings> settings() const;

    Authenticator& authenticator_;
    telemetry::RequestLog& request_log_;
    AddressWatch& watch_;
    mutable base::Mutex mutex_;  ///< held only to copy the pointer
    std::shared_ptr<const AnswerSettings> settings_ GUARDED_BY(mutex_) =
        std::make_shared<const AnswerSettings>();
    base::LogThrottle warnings_;  ///< about clients whose requests can't be carried out as sent
    SecretUrlHandler secret_urls_;
    AccountHandler accounts_;
    HookHandler hooks_;
};

}  // namespace sftdyn::server
