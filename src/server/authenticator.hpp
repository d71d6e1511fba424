// SPDX-License-Identifier: GPL-3.0-or-later
// Authenticates requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "accounts/account_directory.hpp"
#include "accounts/auth_failure_limiter.hpp"
#include "accounts/familiar_networks.hpp"
#include "accounts/password_verifier.hpp"
#include "accounts/passwords.hpp"
#include "base/log.hpp"
#include "base/log_throttle.hpp"
#include "protocol/dyndns_request.hpp"
#include "server/request_context.hpp"

namespace sftdyn::server {

/// Looks up keys, users and passwords, counts failures, and answers these: at once, delayed, or
/// with the request to retry later. A client with a valid key is never affected by the failures of
/// others in its network. Owned by `Service`. Thread-safe.
class Authenticator {
public:
    using Now = std::function<base::TimePoint()>;
    /// Continues with an authenticated request of a client. Called on the caller's thread or on the
    /// verifier's.
    using Accepted =
        std::function<void(RequestContext&, protocol::AddressUpdate, const accounts::Client&)>;

    /// Delayed answers wait for `delay` on `io`.
    explicit Authenticator(boost::asio::io_context& io, Now now = base::Clock::now,
                           base::Duration delay = std::chrono::seconds(1))
        : io_(io),
          now_(std::move(now)),
          delay_(delay),
          guessers_([](const std::string& text) { base::log::warn("{}", text); }),
          unverified_([](const std::string& text) { base::log::error("{}", text); }) {}
    Authenticator(const Authenticator&) = delete;
    Authenticator& operator=(const Authenticator&) = delete;

    /// Sets the budgets of failures: see `accounts::AuthFailureLimiter`.
    void configure(unsigned bad_keys, base::Duration refill) { failures_.set(bad_keys, refill); }

    /// Checks the credential of `update`. If it is valid, calls `accepted`, else completes the
    /// request.
    void authenticate(RequestContext& request, protocol::AddressUpdate update,
                      const Accepted& accepted);

    /// Counts a wrong key of a request that has another credential too, which decides on it.
    void count_wrong_key(const RequestContext& request) { count_failure(request, now_()); }
    /// Completes a request with a wrong key.
    void refuse(RequestContext& request);
    /// Completes a request whose key can't be checked, because the hook that gets the key has
    /// failed. Counts as an authentication failure. Within the budgets, the answer says that the
    /// hook has failed.
    void refuse_failed(RequestContext& request);

    /// Ends the verifier's thread. Waiting verifications are dropped.
    void stop();

private:
    using Failure = accounts::AuthFailureLimiter::Treatment;
    struct Attempt;

    void check_password(RequestContext& request, protocol::AddressUpdate update,
                        const Accepted& accepted);
    void verify(RequestContext& request, Attempt attempt, const Accepted& accepted);
    [[nodiscard]] base::Result<bool> is_right(const Attempt& attempt);
    void accept(RequestContext& request, Attempt attempt, const Accepted& accepted);
    enum class Cause : std::uint8_t { wrong, hook_failed };
    void refuse(RequestContext& request, const Failure& failure, Cause cause = Cause::wrong);
    void refuse_late(RequestContext& request, Cause cause);
    static void answer(RequestContext& request, Cause cause);
    static void refuse_for_now(RequestContext& request, std::string_view why);
    void refuse_unverified(RequestContext& request, const Failure& failure, std::string_view why);
    Failure count_failure(const RequestContext& request, base::TimePoint now);
    static void log_full_table(const RequestContext& request, const Failure& failure);

    boost::asio::io_context& io_;
    Now now_;
    base::Duration delay_;
    accounts::VerifiedPasswords passwords_;
    accounts::FamiliarNetworks familiar_;
    accounts::AuthFailureLimiter failures_{0, base::Duration(0)};
    base::LogThrottle guessers_;         ///< logs refused clients
    base::LogThrottle unverified_;       ///< logs passwords that can't be verified
    std::atomic<unsigned> delayed_ = 0;  ///< number of delayed answers
    accounts::Verifier verifier_;        ///< the last member: its thread uses the others
};

}  // namespace sftdyn::server
