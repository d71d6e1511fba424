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

/// Delivers the response of a request. Owned by the request's context, which uses it once.
class Responder {
public:
    using Defer = std::function<http::Later()>;

    /// To be constructed in the HTTP server's handler call. An immediate response goes to `place`;
    /// `defer` returns the function for a response after the call. Both outlive it, unless it is
    /// deferred.
    Responder(std::optional<http::Response>& place, const Defer& defer)
        : place_(&place), defer_(&defer) {}

    /// After this, the response may come after the handler call, on any thread.
    void defer();
    void respond(http::Response response);

private:
    std::optional<http::Response>* place_;
    const Defer* defer_;
    http::Later later_{};
};

/// A request is ended by calling `complete` once. Only there is it logged, counted, and stored in
/// the history of hosts.
///
/// A context starts on the stack of the HTTP server's thread, so an immediate answer needs no
/// allocation. Otherwise `defer` moves it to the heap, and it goes with the work to the engine's
/// thread, a hook's thread or the verifier's. It belongs to one thread at a time, and only that
/// thread may use it.
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
    /// `other` counts as ended, and sends no answer.
    RequestContext(RequestContext&& other) noexcept;
    RequestContext& operator=(RequestContext&&) = delete;
    RequestContext(const RequestContext&) = delete;
    RequestContext& operator=(const RequestContext&) = delete;
    /// Answers a request that was not completed with a failure: what it waited for was dropped.
    ~RequestContext();

    /// Moves the request to the heap, for work that continues after the HTTP server's call. This
    /// object counts as ended, and sends no answer.
    [[nodiscard]] std::shared_ptr<RequestContext> defer();

    [[nodiscard]] const AnswerSettings& settings() const { return *settings_; }
    [[nodiscard]] std::shared_ptr<const AnswerSettings> shared_settings() const {
        return settings_;
    }
    /// The client's address: the source of the request, or the result of a conf's get_ip. All
    /// limits, counts, logs and the history use it.
    [[nodiscard]] const boost::asio::ip::address& source() const { return source_; }
    /// To be called before any of these uses.
    void set_source(const boost::asio::ip::address& source) { source_ = source; }
    [[nodiscard]] base::TimePoint began() const { return began_; }
    [[nodiscard]] protocol::Dialect dialect() const { return dialect_; }
    void set_dialect(protocol::Dialect dialect) { dialect_ = dialect; }
    /// How the client software reads answers.
    void set_client_kind(protocol::ClientKind kind) { kind_ = kind; }
    [[nodiscard]] protocol::ClientKind client_kind() const { return kind_; }
    [[nodiscard]] protocol::AnswerStyle answer_style() const {
        return {settings_->uptodate, settings_->refusals_in_200, kind_};
    }
    /// The client's name in the log, when it is known; never a key.
    [[nodiscard]] std::string client() const { return client_.empty() ? "a key" : client_; }
    void set_client(const std::string& name) { client_ = name; }
    /// The journal fields of a log line about the request before its end.
    [[nodiscard]] base::log::Fields log_fields() const { return telemetry::log_fields(facts()); }
    [[nodiscard]] base::log::Fields log_fields(telemetry::RequestOutcome outcome) const {
        return telemetry::log_fields(facts(), outcome);
    }

    /// Reports an unexpected forwarding header of the request to `watch`, which outlives it: when
    /// the request is authenticated, or at its end.
    void watch(AddressWatch& watch, http::Forwarding kind) {
        watch_ = &watch;
        forwarding_ = kind;
        peer_ = source_;
    }
    /// The request has a valid credential.
    void on_authenticated() { tell_watch(AddressWatch::Sender::client); }

    /// Notes the outcome of a record, or of a host that needed no DNS operation. Reported when the
    /// request is completed.
    void note(const telemetry::HostOutcome& host) { served_.push_back(host); }
    void note(std::string host, std::string_view word, telemetry::RequestOutcome outcome) {
        not_served_.push_back({std::move(host), word, outcome});
    }

    // The functions that end the request: each reports and answers it. Only one may be called,
    // once; a second call is a defect, which is logged and ignored.
    /// Reports the noted outcomes.
    void complete(http::Response response);
    /// The request was for one record.
    void complete(const telemetry::HostOutcome& host, http::Response response);
    /// The request was for no host, or nothing was done for any host. `what` says which or why; it
    /// contains nothing that the client sent except the name of a parameter.
    void complete(telemetry::RequestOutcome outcome, std::string_view what,
                  http::Response response);
    void complete_bad_credential(http::Response response);

private:
    struct NotServed {
        std::string host;
        std::string_view word;  ///< has static storage
        telemetry::RequestOutcome outcome;
    };
    [[nodiscard]] telemetry::RequestFacts facts() const;
    [[nodiscard]] bool begin_end();
    void respond(http::Response response);
    void tell_watch(AddressWatch::Sender sender);

    telemetry::RequestLog* log_;
    std::shared_ptr<const AnswerSettings> settings_;
    boost::asio::ip::address source_;
    base::TimePoint began_;
    protocol::Dialect dialect_ = protocol::Dialect::secret_url;
    protocol::ClientKind kind_ = protocol::ClientKind::any;
    bool ended_ = false;
    AddressWatch* watch_ = nullptr;  ///< set until the header was reported
    http::Forwarding forwarding_ = http::Forwarding::as_meant;
    boost::asio::ip::address
        peer_{};  ///< with `watch_`: the source of the request, regardless of get_ip
    std::string client_{};
    std::vector<telemetry::HostOutcome> served_{};
    std::vector<NotServed> not_served_{};
    Responder responder_;
};

}  // namespace sftdyn::server
