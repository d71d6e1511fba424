// SPDX-License-Identifier: GPL-3.0-or-later
// Limits the number of connections, in total and per client, across all threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "base/network.hpp"

namespace sftdyn::http {

/// Counts connections; owned by `Server`, and outlives all of them. Thread-safe.
class ConnectionLimiter {
public:
    /// The limits of `Limits`: connections, connections_per_client, connections_per_neighbour.
    ConnectionLimiter(std::size_t total, std::size_t per_client,
                      std::optional<std::size_t> per_neighbour = {});

    /// One connection's place, which is given up on destruction.
    class Ticket {
    public:
        Ticket() = default;
        Ticket(Ticket&& other) noexcept
            : admission_(std::exchange(other.admission_, nullptr)),
              client_(std::exchange(other.client_, std::nullopt)) {}
        Ticket& operator=(Ticket&& other) noexcept {
            std::swap(admission_, other.admission_);
            std::swap(client_, other.client_);
            return *this;
        }
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;
        ~Ticket() { give_up(); }

        void give_up();
        /// Counts the connection as the client's. False: the client has too many already.
        [[nodiscard]] bool count_for(const boost::asio::ip::address& client);

    private:
        friend class ConnectionLimiter;
        ConnectionLimiter* admission_ = nullptr;
        std::optional<base::ClientNetwork> client_;
    };

    /// Whether one more connection may be accepted.
    [[nodiscard]] bool has_capacity() const {
        return count_.load(std::memory_order_relaxed) < total_;
    }
    [[nodiscard]] std::size_t total() const { return total_; }
    [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_relaxed); }
    /// A place for one more connection; `nullopt` when the limit is reached.
    [[nodiscard]] std::optional<Ticket> enter();

private:
    const std::size_t total_, per_client_, per_neighbour_;
    std::atomic<std::size_t> count_ = 0;
    base::Mutex mutex_;
    boost::unordered::unordered_flat_map<base::ClientNetwork, std::size_t> clients_
        GUARDED_BY(mutex_);
    base::LogThrottle refusals_;
};

}  // namespace sftdyn::http
