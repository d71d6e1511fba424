// SPDX-License-Identifier: GPL-3.0-or-later
// One request from its arrival to its answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/clock.hpp"
#include "http/handler.hpp"
#include "protocol/dyndns_request.hpp"
#include "protocol/dyndns_response.hpp"
#include "server/address_watch.hpp"
#include "server/answer_settings.hpp"
#include "telemetry/request_log.hpp"

namespace sftdyn::server {

/// Where a request's answer goes. Only its context has one, which uses it once.
class Responder {
public:
    using Defer = std::function<http::Later()>;

    /// During the call of the HTTP server's handler: an answer at once goes to `place`, and `defer`
    /// gives where one goes that comes after the call. Both outlive it, unless it is deferred.
    Responder(std::optional<http::Response>& place, const Defer& defer)
        : place_(&place), defer_(&defer) {}

    /// From now on the answer may come after the call, on any thread.
    void defer();
    void respond(http::Response response);

private:
    std::optional<http::Response>* place_;
    const Defer* defer_;
    http::Later later_{};
};

/// Whoever handles a request ends it with `complete`, once, and there alone it is logged, counted,
/// and noted in the memory of hosts.
///
/// A context begins on the stack of the HTTP server's thread. What can be answered there costs no
/// allocation; what can't is moved to the heap by `defer`, and goes with the work: to the engine's
/// thread, a hook's, or the verifier's. It belongs to one of them at a time, which is who may touch
/// it.
class RequestContext {
public:
    /// `log` outlives it.
    RequestContext(telemetry::RequestLog& log, std::shared_ptr<const AnswerSettings> settings,
                   const boost::asio::ip::address& source, base::TimePoint began,
                   Responder responder)
        : log_(&log),
          settings_(std::move(settings)),
          source_(source),
          began_(began),
          responder_(std::move(responder)) {}
    /// The other is at its end without an answer of its own.
    RequestContext(RequestContext&& other) noexcept;
    RequestContext& operator=(RequestContext&&) = delete;
    RequestContext(const RequestContext&) = delete;
    RequestContext& operator=(const RequestContext&) = delete;
    /// A request that nobody has answered is answered with a failure: what it waited for is gone.
    ~RequestContext();

    /// The same request, for work that goes on after the HTTP server's call. This one is at its end
    /// without an answer of its own.
    [[nodiscard]] std::shared_ptr<RequestContext> defer();

    [[nodiscard]] const AnswerSettings& settings() const { return *settings_; }
    /// Who asks: where the request came from, or what a conf's get_ip says of it. For it everything
    /// is refused, counted, logged and noted.
    [[nodiscard]] const boost::asio::ip::address& source() const { return source_; }
    /// Before any of that.
    void set_source(const boost::asio::ip::address& source) { source_ = source; }
    [[nodiscard]] base::TimePoint began() const { return began_; }
    [[nodiscard]] protocol::Dialect dialect() const { return dialect_; }
    void set_dialect(protocol::Dialect dialect) { dialect_ = dialect; }
    /// Whose way of reading answers the client has.
    void set_client_kind(protocol::ClientKind kind) { kind_ = kind; }
    [[nodiscard]] protocol::ClientKind client_kind() const { return kind_; }
    [[nodiscard]] protocol::AnswerStyle answer_style() const {
        return {settings_->uptodate, settings_->refusals_in_200, kind_};
    }
    /// Who asks, once that is known, as the log names it: never a key.
    [[nodiscard]] std::string client() const { return client_.empty() ? "a key" : client_; }
    void set_client(const std::string& name) { client_ = name; }
    /// For the journal, of a line about it before its end.
    [[nodiscard]] base::log::Fields log_fields() const { return telemetry::log_fields(facts()); }
    [[nodiscard]] base::log::Fields log_fields(telemetry::RequestOutcome outcome) const {
        return telemetry::log_fields(facts(), outcome);
    }

    /// Has `watch`, which outlives it, told that the request's forwarding header is not what it
    /// should be: once its credential is known to be right, or at the end.
    void watch(AddressWatch& watch, http::Forwarding kind) {
        watch_ = &watch;
        forwarding_ = kind;
        peer_ = source_;
    }
    /// Its credential is right.
    void on_authenticated() { tell_watch(AddressWatch::Sender::client); }

    /// The outcome of a record, or of a host for which nothing was asked of the DNS. It is told
    /// when the request is completed.
    void note(const telemetry::HostOutcome& host) { served_.push_back(host); }
    void note(std::string host, std::string_view word, telemetry::RequestOutcome outcome) {
        not_served_.push_back({std::move(host), word, outcome});
    }

    /// The ends. Each tells of the request and answers it; after one of them there is no other: a
    /// second is a defect, which is logged and does nothing else.
    /// What was noted is told.
    void complete(http::Response response);
    /// The request was for one record.
    void complete(const telemetry::HostOutcome& host, http::Response response);
    /// The request was for no host, or nothing was done for any; `what` says which or why, without
    /// anything that the client sent but the name of a parameter.
    void complete(telemetry::RequestOutcome outcome, std::string_view what,
                  http::Response response);
    void complete_bad_credential(http::Response response);

private:
    struct NotServed {
        std::string host;
        std::string_view word;  ///< of static storage
        telemetry::RequestOutcome outcome;
    };
    [[nodiscard]] telemetry::RequestFacts facts() const;
    [[nodiscard]] bool begin_end();
    void tell_watch(AddressWatch::Sender sender);

    telemetry::RequestLog* log_;
    std::shared_ptr<const AnswerSettings> settings_;
    boost::asio::ip::address source_;
    base::TimePoint began_;
    protocol::Dialect dialect_ = protocol::Dialect::secret_url;
    protocol::ClientKind kind_ = protocol::ClientKind::any;
    bool ended_ = false;
    AddressWatch* watch_ = nullptr;  ///< that is still to be told
    http::Forwarding forwarding_ = http::Forwarding::as_meant;
    boost::asio::ip::address peer_{};  ///< with `watch_`: where it came from, whatever a hook says
    std::string client_{};
    std::vector<telemetry::HostOutcome> served_{};
    std::vector<NotServed> not_served_{};
    Responder responder_;
};

}  // namespace sftdyn::server
