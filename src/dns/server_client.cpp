// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/server_client.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/network.hpp"
#include "dns/knot.hpp"

namespace sftdyn::dns {
namespace {

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
                           std::shared_ptr<TsigKeyProvider> keys, bool tcp_only,
                           base::TimeSourcePtr time)
    : io_(io),
      name_(text_of(address)),
      keys_(std::move(keys)),
      tcp_only_(tcp_only),
      udp_(std::make_shared<UdpChannel>(
          io, boost::asio::ip::udp::endpoint(address.address, address.port), time)),
      tcp_(std::make_shared<TcpChannel>(
          io, boost::asio::ip::tcp::endpoint(address.address, address.port), std::move(time))) {}

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
    question->over_tcp = tcp_only_;
    ask(question);
}

DnsError ServerClient::closed_failure() const {
    return {ErrorKind::connection, 0, name_, "sftdyn no longer uses this DNS server", ""};
}

void ServerClient::ask(const std::shared_ptr<Question>& question) {
    if (closed_) return later(std::move(question->handler), closed_failure());
    auto key = this->key();
    if (key.has_error()) return later(std::move(question->handler), key.error());
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
                   [done](Reply reply, Delivery) { done(std::move(reply)); });
    } else {
        udp_->send(std::move(*request), question->deadline, done);
    }
}

void ServerClient::asked(const std::shared_ptr<Question>& question, Reply reply) {
    if (reply.has_value() && reply->truncated && !question->over_tcp) {
        question->over_tcp = true;
        return ask(question);
    }
    question->handler(std::move(reply));
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
    const auto answered = [read, handler = std::move(handler)](Reply reply, Delivery delivery) {
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
