#include "dns/server.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "dns/knot.hpp"

namespace sftdyn::dns {
namespace {

constexpr unsigned most_tries = 3;

unsigned tries_for(const UpdateContent& content) {
    const auto* message = std::get_if<UpdateMessage>(&content);
    return message == nullptr || message->prerequisites.empty() ? most_tries : 1;
}

std::size_t count_of(const UpdateContent& content) {
    const auto* message = std::get_if<UpdateMessage>(&content);
    return message == nullptr ? std::get<std::vector<Change>>(content).size() : message->updates.size();
}

}  // namespace

std::string text_of(const ServerAddress& server) {
    const auto address = server.address.to_string();
    return fmt::format(fmt::runtime(server.address.is_v6() ? "[{}]:{}" : "{}:{}"), address, server.port);
}

Server::Server(boost::asio::io_context& io, const ServerAddress& address, std::shared_ptr<KeySource> keys, bool tcp_only)
    : io_(io),
      name_(text_of(address)),
      keys_(std::move(keys)),
      tcp_only_(tcp_only),
      udp_(std::make_shared<UdpChannel>(io, boost::asio::ip::udp::endpoint(address.address, address.port))),
      tcp_(std::make_shared<TcpChannel>(io, boost::asio::ip::tcp::endpoint(address.address, address.port))) {}

Outcome<TsigKeyPtr> Server::key() {
    auto key = keys_->current();
    if (key.has_value()) return *key;
    const auto& error = key.error();
    return Failure{Failure::Kind::key_file, 0, error.where, error.what, error.mend};
}

void Server::later(Handler handler, Failure failure) {
    boost::asio::post(io_, [handler = std::move(handler), failure = std::move(failure)] { handler(failure); });
}

void Server::query(const Name& name, Type type, base::TimePoint deadline, Handler handler) {
    auto question = std::make_shared<Question>(Question{name, type, deadline, std::move(handler)});
    question->over_tcp = tcp_only_;
    ask(question);
}

Failure Server::closed_failure() const { return {Failure::Kind::connection, 0, name_, "sftdyn no longer uses this DNS server", ""}; }

void Server::ask(const std::shared_ptr<Question>& question) {
    if (closed_) return later(std::move(question->handler), closed_failure());
    auto key = this->key();
    if (key.has_error()) return later(std::move(question->handler), key.error());
    const std::uint16_t id = question->over_tcp ? tcp_->fresh_id() : udp_->fresh_id();
    auto request = make_query(id, question->name, question->type, *key);
    if (request.has_error()) return later(std::move(question->handler), request.error());
    base::log::debug("{}: query {} {}{}", name_, question->name.text(), type_text(question->type), question->over_tcp ? ", TCP" : "");
    const auto done = [self = shared_from_this(), question](Reply reply) { self->asked(question, std::move(reply)); };
    if (question->over_tcp) {
        tcp_->send(std::move(*request), question->deadline, done);
    } else {
        udp_->send(std::move(*request), question->deadline, done);
    }
}

void Server::asked(const std::shared_ptr<Question>& question, Reply reply) {
    if (reply.has_value() && reply->truncated && !question->over_tcp) {
        question->over_tcp = true;
        return ask(question);
    }
    question->handler(std::move(reply));
}

void Server::update(const Name& zone, UpdateContent content, base::TimePoint deadline, Handler handler, Settled settled) {
    attempt(std::make_shared<Job>(Job{zone, std::move(content), deadline, std::move(handler), std::move(settled)}));
}

void Server::attempt(std::shared_ptr<Job> job) {
    const auto fail = [&](const Failure& failure) {
        later(
            [job](Reply reply) {
                job->handler(std::move(reply));
                job->settled();
            },
            failure);
    };
    if (closed_) return fail(closed_failure());
    auto key = this->key();
    if (key.has_error()) return fail(key.error());
    auto request = make_update(tcp_->fresh_id(), job->zone, job->content, *key);
    if (request.has_error()) return fail(request.error());
    ++job->tries;
    const std::size_t count = count_of(job->content);
    base::log::debug("{}: UPDATE of {} with {} change{}", name_, job->zone.text(), count, count == 1 ? "" : "s");

    // The connection's end settles an attempt, so the job is settled with its last one.
    auto again = std::make_shared<bool>(false);
    const auto answered = [self = shared_from_this(), job, again](Reply reply) {
        const bool lost = reply.has_error() && reply.error().kind == Failure::Kind::connection;
        if (lost && !self->closed_ && job->tries < tries_for(job->content) && base::Clock::now() < job->deadline) {
            *again = true;
            return;
        }
        if (reply.has_value() && reply->rcode != KNOT_RCODE_NOERROR) {
            reply = rcode_failure(reply->rcode, self->name_, fmt::format("the UPDATE of zone {}", job->zone.text()));
        }
        job->handler(std::move(reply));
    };
    const auto settled = [self = shared_from_this(), job, again] {
        if (*again) return self->attempt(job);
        job->settled();
    };
    tcp_->send(std::move(*request), job->deadline, answered, settled);
}

void Server::close() {
    closed_ = true;
    udp_->close();
    tcp_->close();
}

}  // namespace sftdyn::dns
