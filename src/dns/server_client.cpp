// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/server_client.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/network.hpp"
#include "dns/knot.hpp"

namespace sftdyn::dns {
namespace {

// How long to wait for an answer to two datagrams (`UdpChannel` sends the second after 400 ms).
constexpr base::Duration udp_patience = std::chrono::milliseconds(1200);

// After datagrams got no answer, queries use TCP for this long.
constexpr base::Duration udp_pause = std::chrono::seconds(60);

std::size_t count_of(const UpdateContent& content) {
    const auto* message = std::get_if<UpdateMessage>(&content);
    return message == nullptr ? std::get<std::vector<Change>>(content).size()
                              : message->updates.size();
}

}  // namespace

std::string text_of(const ServerAddress& server) {
    return base::endpoint_text(server.address, server.port);
}

ServerClient::ServerClient(boost::asio::io_context& io, const ServerAddress& address,
                           std::shared_ptr<TsigKeyProvider> keys, const ServerOptions& options,
                           base::TimeSourcePtr time)
    : io_(io),
      name_(text_of(address)),
      keys_(std::move(keys)),
      options_(options),
      time_(std::move(time)),
      udp_(std::make_shared<UdpChannel>(
          io, boost::asio::ip::udp::endpoint(address.address, address.port), time_)),
      tcp_(std::make_shared<TcpChannel>(
          io, boost::asio::ip::tcp::endpoint(address.address, address.port), time_)) {}

DnsResult<TsigKeyPtr> ServerClient::key() {
    auto key = keys_->current();
    if (key.has_value()) return *key;
    const auto& error = key.error();
    return DnsError{ErrorKind::key_file, 0, error.where, error.what, error.remedy};
}

void ServerClient::later(Handler handler, DnsError failure) {
    boost::asio::post(
        io_, [handler = std::move(handler), failure = std::move(failure)] { handler(failure); });
}

void ServerClient::query(const Name& name, Type type, base::TimePoint deadline, Handler handler) {
    auto question = std::make_shared<Question>(Question{name, type, deadline, std::move(handler)});
    question->over_tcp = options_.tcp_only || time_->now() < no_udp_until_;
    ask(question);
}

DnsError ServerClient::closed_failure() const {
    return {ErrorKind::connection, 0, name_, "sftdyn no longer uses this DNS server", ""};
}

void ServerClient::ask(const std::shared_ptr<Question>& question) {
    if (closed_) return later(std::move(question->handler), closed_failure());
    DnsResult<TsigKeyPtr> key = TsigKeyPtr();
    if (options_.sign_queries) key = this->key();
    if (key.has_error()) return later(std::move(question->handler), key.error());
    question->is_signed = *key != nullptr;
    const std::uint16_t id = question->over_tcp ? tcp_->fresh_id() : udp_->fresh_id();
    auto request = make_query(id, question->name, question->type, *key);
    if (request.has_error()) return later(std::move(question->handler), request.error());
    base::log::debug("{}: query {} {}{}", name_, question->name.text(), type_text(question->type),
                     question->over_tcp ? ", TCP" : "");
    const auto done = [self = shared_from_this(), question](Reply reply) {
        self->asked(question, std::move(reply));
    };
    if (question->over_tcp) {
        tcp_->end_if_silent();
        tcp_->send(std::move(*request), question->deadline, question->deadline,
                   [this, done](Reply reply, Delivery delivery) {
                       if (delivery.state != DeliveryState::unsent) takes_tcp_ = true;
                       if (reply.has_error() && is_no_connection(reply.error(), delivery))
                           reply = over_tcp_alone(reply.error());
                       done(std::move(reply));
                   });
    } else {
        udp_->send(std::move(*request), std::min(question->deadline, time_->now() + udp_patience),
                   done);
    }
}

void ServerClient::asked(const std::shared_ptr<Question>& question, Reply reply) {
    if (!question->over_tcp) {
        if (reply.has_value()) answers_udp_ = true;
        const bool lost = reply.has_error() && reply.error().kind == ErrorKind::timeout &&
                          time_->now() < question->deadline;
        if (lost || (reply.has_value() && reply->truncated)) {
            question->over_tcp = true;
            if (lost) question->unanswered = reply.error();
            return ask(question);
        }
    } else if (question->unanswered && reply.has_value()) {
        no_udp_until_ = time_->now() + udp_pause;
        answers_udp_ = false;
    } else if (question->unanswered) {
        DnsError both = *question->unanswered;
        both.detail += fmt::format(" over UDP; over TCP: {}", reply.error().detail);
        reply = std::move(both);
    }
    question->handler(explained(question, std::move(reply)));
}

/// A server may refuse the key without a TSIG record in its answer, as PowerDNS does. No other
/// reason for NOTAUTH to a query is known.
Reply ServerClient::explained(const std::shared_ptr<Question>& question, Reply reply) const {
    if (reply.has_error() || reply->rcode != KNOT_RCODE_NOTAUTH || !question->is_signed ||
        reply->verified)
        return reply;
    return DnsError{
        ErrorKind::bad_key, 0, name_,
        "the DNS server answered NOTAUTH to a query: it does not take our key",
        "compare the key's name, algorithm and secret on both sides (PowerDNS: pdnsutil "
        "list-tsig-keys; its bind back end holds no keys, and takes no updates)"};
}

/// True when nothing was sent, because there was no connection.
bool ServerClient::is_no_connection(const DnsError& failure, const Delivery& delivery) {
    return delivery.state == DeliveryState::unsent &&
           (failure.kind == ErrorKind::unreachable || failure.kind == ErrorKind::timeout);
}

/// If the server answers over UDP, adds to a TCP failure that TCP is probably blocked.
DnsError ServerClient::over_tcp_alone(DnsError failure) const {
    // A server that has accepted TCP before is down now.
    if (!answers_udp_ || takes_tcp_) return failure;
    failure.detail = "UDP is answered, TCP is not: " + failure.detail;
    failure.cause =
        "updates go over TCP: let the server listen there, and open its port in the firewall "
        "for TCP too";
    return failure;
}

void ServerClient::update(const Name& zone, const UpdateContent& content, base::TimePoint send_by,
                          base::TimePoint deadline, UpdateHandler handler, LateAnswer late) {
    const auto fail = [&](const DnsError& failure) {
        later([handler](Reply reply) { handler(std::move(reply), {}); }, failure);
    };
    if (closed_) return fail(closed_failure());
    const auto* message = std::get_if<UpdateMessage>(&content);
    auto key = message != nullptr && message->key ? message->key : this->key();
    if (key.has_error()) return fail(key.error());
    auto request = make_update(tcp_->fresh_id(), zone, content, *key);
    if (request.has_error()) return fail(request.error());
    const std::size_t count = count_of(content);
    base::log::debug("{}: UPDATE of {} with {} change{}", name_, zone.text(), count,
                     count == 1 ? "" : "s");
    const auto read = [name = name_, zone](Reply reply) -> Reply {
        if (reply.has_error() || reply->rcode == KNOT_RCODE_NOERROR) return reply;
        return rcode_failure(reply->rcode, name, fmt::format("the UPDATE of zone {}", zone.text()));
    };
    const auto answered = [read, self = shared_from_this(), handler = std::move(handler)](
                              Reply reply, Delivery delivery) {
        if (delivery.state != DeliveryState::unsent) self->takes_tcp_ = true;
        if (reply.has_error() && is_no_connection(reply.error(), delivery))
            reply = self->over_tcp_alone(reply.error());
        handler(read(std::move(reply)), delivery);
    };
    tcp_->send(std::move(*request), send_by, deadline, answered,
               [read, late = std::move(late)](const Answer& answer, unsigned connection) {
                   late(read(answer), connection);
               });
}

void ServerClient::close() {
    closed_ = true;
    udp_->close();
    tcp_->close();
}

}  // namespace sftdyn::dns
