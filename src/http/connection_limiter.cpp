// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/connection_limiter.hpp"

#include <fmt/format.h>

#include "base/address_rules.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace sftdyn::http {
namespace {

bool is_neighbour(const boost::asio::ip::address& client) {
    const auto scope = base::scope_of(client);
    return scope == base::AddressScope::loopback || scope == base::AddressScope::local;
}

}  // namespace

ConnectionLimiter::ConnectionLimiter(std::size_t total, std::size_t per_client,
                                     std::optional<std::size_t> per_neighbour)
    : total_(total),
      per_client_(per_client),
      per_neighbour_(per_neighbour.value_or(per_client)),
      refusals_([](const std::string& text) { base::log::warn("{}", text); }) {}

std::optional<ConnectionLimiter::Ticket> ConnectionLimiter::enter() {
    std::size_t count = count_.load(std::memory_order_relaxed);
    do {
        if (count >= total_) return std::nullopt;
    } while (!count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
    Ticket ticket;
    ticket.admission_ = this;
    return ticket;
}

void ConnectionLimiter::Ticket::give_up() {
    if (admission_ == nullptr) return;
    ConnectionLimiter& admission = *std::exchange(admission_, nullptr);
    admission.count_.fetch_sub(1, std::memory_order_relaxed);
    if (!client_) return;
    const base::MutexLock lock(admission.mutex_);
    const auto found = admission.clients_.find(*client_);
    if (--found->second == 0) admission.clients_.erase(found);
    client_.reset();
}

bool ConnectionLimiter::Ticket::count_for(const boost::asio::ip::address& client) {
    const auto network = base::client_network(client);
    const std::size_t most =
        is_neighbour(client) ? admission_->per_neighbour_ : admission_->per_client_;
    const base::MutexLock lock(admission_->mutex_);
    std::size_t& count = admission_->clients_[network];
    if (count >= most) {
        const base::log::FieldScope scope({{"SFTDYN_CLIENT", client.to_string()}});
        admission_->refusals_.add(
            "connections",
            fmt::format("{} has {} connections, and gets no more (connections_per_client)",
                        client.to_string(), count),
            base::Clock::now());
        return false;
    }
    ++count;
    client_ = network;
    return true;
}

}  // namespace sftdyn::http
