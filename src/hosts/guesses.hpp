// Who guesses: failed look-ups are counted for each client, and past a budget they are answered late, then refused.
// A key that is right is never asked about here, so that nobody pays for a neighbour behind the same address.
#pragma once

#include <chrono>
#include <mutex>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/network.hpp"

namespace sftdyn::hosts {

class Guesses {
public:
    /// `burst` failures at once are answered as they come, as many again late; one more is forgotten each `refill`.
    /// A burst of 0: nobody is ever refused.
    Guesses(unsigned burst, base::Duration refill) : burst_(burst), refill_(refill) {}

    struct Verdict {
        enum class Kind { answer, delay, refuse } kind = Kind::answer;
        bool first = false;                  ///< with `refuse`: the first of this client since its budget was full
        std::chrono::seconds retry_after{};  ///< with `refuse`
    };

    /// One more failure of `client`. On any thread.
    [[nodiscard]] Verdict failed(const boost::asio::ip::address& client, base::TimePoint now);

    void set(unsigned burst, base::Duration refill);
    /// Clients that are remembered: at most 2^16.
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        base::TimePoint full_at;  ///< when all is forgotten (GCRA)
        bool said = false;
    };
    void make_room(base::TimePoint now);

    mutable std::mutex mutex_;
    unsigned burst_;
    base::Duration refill_;
    boost::unordered::unordered_flat_map<base::ClientNetwork, Entry> clients_;
};

}  // namespace sftdyn::hosts
