// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/request_context.hpp"

#include <new>
#include <utility>

#include "base/log.hpp"
#include "base/thread.hpp"
#include "protocol/dyndns_response.hpp"

namespace sftdyn::server {
namespace {

using telemetry::RequestOutcome;

telemetry::DialectLabel reported(protocol::Dialect dialect) {
    switch (dialect) {
        case protocol::Dialect::secret_url:
            break;
        case protocol::Dialect::dyndns2:
        case protocol::Dialect::dynv6:
        case protocol::Dialect::namecheap:
        case protocol::Dialect::regfish:
        case protocol::Dialect::ydns:
        case protocol::Dialect::easydns:
            return telemetry::DialectLabel::dyndns2;
        case protocol::Dialect::duckdns:
            return telemetry::DialectLabel::duckdns;
        case protocol::Dialect::freedns:
            return telemetry::DialectLabel::freedns;
    }
    return telemetry::DialectLabel::secret_url;
}

}  // namespace

void Responder::defer() {
    if (!later_) later_ = (*defer_)();
    place_ = nullptr;
    defer_ = nullptr;
}

void Responder::respond(http::Response response) {
    if (later_) return later_(std::move(response));
    *place_ = std::move(response);
}

RequestContext::RequestContext(RequestContext&& other) noexcept
    : log_(other.log_),
      settings_(std::move(other.settings_)),
      source_(std::move(other.source_)),
      began_(other.began_),
      dialect_(other.dialect_),
      kind_(other.kind_),
      ended_(std::exchange(other.ended_, true)),
      watch_(std::exchange(other.watch_, nullptr)),
      forwarding_(other.forwarding_),
      peer_(other.peer_),
      client_(std::move(other.client_)),
      served_(std::move(other.served_)),
      not_served_(std::move(other.not_served_)),
      responder_(std::move(other.responder_)) {}

RequestContext::~RequestContext() {
    if (ended_) return;
    try {
        complete(RequestOutcome::fail, "given up before it was done",
                 protocol::server_error(dialect_));
    } catch (const std::bad_alloc&) {
        // Out of memory: the connection ends without an answer.
    }
}  // NOLINT(bugprone-exception-escape): nothing else is thrown

std::shared_ptr<RequestContext> RequestContext::defer() {
    responder_.defer();
    return std::make_shared<RequestContext>(std::move(*this));
}

telemetry::RequestFacts RequestContext::facts() const {
    return {.dialect = reported(dialect_), .client = source_, .began = began_};
}

void RequestContext::respond(http::Response response) {
    log_->responded(response.status, began_);
    responder_.respond(std::move(response));
}

/// False: the request has already ended.
bool RequestContext::begin_end() {
    if (!std::exchange(ended_, true)) {
        base::survive_no_memory([this] { tell_watch(AddressWatch::Sender::stranger); });
        return true;
    }
    base::log::error("a request was answered twice, which is a defect; the first answer counts");
    return false;
}

void RequestContext::tell_watch(AddressWatch::Sender sender) {
    if (watch_ != nullptr) std::exchange(watch_, nullptr)->forwarding(forwarding_, peer_, sender);
}

// The answer is sent even if there is no memory for logging.

void RequestContext::complete(http::Response response) {
    if (!begin_end()) return;
    base::survive_no_memory([this] {
        for (const auto& host : served_) log_->served(facts(), host);
        for (const auto& [host, word, outcome] : not_served_)
            log_->not_served(facts(), host, word, outcome);
        if (served_.empty() && not_served_.empty())
            log_->ended(facts(), RequestOutcome::refused, "it names no host");
    });
    respond(std::move(response));
}

void RequestContext::complete(const telemetry::HostOutcome& host, http::Response response) {
    if (!begin_end()) return;
    base::survive_no_memory([&] { log_->served(facts(), host); });
    respond(std::move(response));
}

void RequestContext::complete(RequestOutcome outcome, std::string_view what,
                              http::Response response) {
    if (!begin_end()) return;
    base::survive_no_memory([&] { log_->ended(facts(), outcome, what); });
    respond(std::move(response));
}

void RequestContext::complete_bad_credential(http::Response response) {
    if (!begin_end()) return;
    base::survive_no_memory([this] { log_->bad_credential(facts()); });
    respond(std::move(response));
}

}  // namespace sftdyn::server
