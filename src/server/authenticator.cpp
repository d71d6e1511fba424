// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/authenticator.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"
#include "base/network.hpp"
#include "protocol/dyndns_response.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

using telemetry::RequestOutcome;

// Limits delayed answers: each holds a connection and memory.
constexpr unsigned most_delayed = 1000;

}  // namespace

/// A user name and password, and the network they come from.
struct Authenticator::Attempt {
    protocol::AddressUpdate update;
    base::ClientNetwork network{};
    std::string network_text{};
    bool is_familiar = false;  ///< was valid before from the same network
    const accounts::AccountDirectory::User* user =
        nullptr;         ///< of the settings; null: no such user
    std::string hash{};  ///< to verify the password with; empty: not needed

    [[nodiscard]] bool is_hashed() const { return user != nullptr && !user->password_hash.empty(); }
};

void Authenticator::authenticate(RequestContext& request, protocol::AddressUpdate update,
                                 const Accepted& accepted) {
    // A request without a credential is not a guess: many clients send their credential only after
    // a challenge.
    if (!update.secret)
        return request.complete(RequestOutcome::no_credential, "no credential",
                                protocol::bad_credential(update.dialect));
    const accounts::AccountDirectory& directory = *request.settings().directory;
    if (!update.user || directory.user(*update.user) == nullptr) {
        // A key is also accepted as a password, with any user name.
        const accounts::KeyEntry* entry = directory.find(update.secret->reveal());
        if (entry != nullptr) {
            request.on_authenticated();
            return accepted(request, std::move(update), directory.client(*entry));
        }
        // Without a user name, only a key is possible. With one, the password is checked, whether
        // the user exists or not.
        if (!update.user) return refuse(request);
    }
    check_password(request, std::move(update), accepted);
}

/// Passwords are chosen by people and can be guessed. When the second budget is spent, they are not
/// checked, except those that were valid before from the same network. If any user has a hash,
/// every wrong password is verified against one, so that the response time does not reveal which
/// users exist.
void Authenticator::check_password(RequestContext& request, protocol::AddressUpdate update,
                                   const Accepted& accepted) {
    Attempt attempt{std::move(update), base::client_network(request.source())};
    attempt.network_text = fmt::format("{}/{}", attempt.network.v6 ? 6 : 4, attempt.network.bits);
    const std::string& user = *attempt.update.user;
    const std::string_view secret = attempt.update.secret->reveal();
    attempt.is_familiar = familiar_.is_known({user, attempt.network_text, secret});
    const auto before = failures_.look(request.source(), request.began());
    log_full_table(request, before);
    if (before.kind == accounts::FailureTreatmentKind::refuse && !attempt.is_familiar)
        return refuse(request, before);

    const accounts::AccountDirectory& directory = *request.settings().directory;
    attempt.user = directory.user(user);
    if (attempt.user != nullptr && !attempt.is_hashed() &&
        directory.is_password(*attempt.user, secret))
        return accept(request, std::move(attempt), accepted);
    attempt.hash = attempt.is_hashed() ? attempt.user->password_hash : directory.dummy_hash(user);
    const auto known = attempt.hash.empty() ? std::optional(false)
                                            : passwords_.known({user, attempt.hash, secret});
    if (!known) return verify(request, std::move(attempt), accepted);
    if (!*known) return refuse(request);
    accept(request, std::move(attempt), accepted);
}

void Authenticator::accept(RequestContext& request, Attempt attempt, const Accepted& accepted) {
    const protocol::AddressUpdate& update = attempt.update;
    if (!attempt.is_familiar)
        familiar_.remember({*update.user, attempt.network_text, update.secret->reveal()});
    const accounts::Client& client = request.settings().directory->client(attempt.user->client);
    request.on_authenticated();
    accepted(request, std::move(attempt.update), client);
}

/// Queues the verification of the password on the verifier's thread.
void Authenticator::verify(RequestContext& request, Attempt attempt, const Accepted& accepted) {
    // The attempt counts as a failure while it waits, so that parallel guesses are counted. An
    // attempt that finds no place stays counted: a client that retries at once comes after others.
    const auto failure = count_failure(request, request.began());
    if (failure.kind == accounts::FailureTreatmentKind::refuse && !attempt.is_familiar)
        return refuse(request, failure);
    accounts::Verifier::Verification job{.network = attempt.network,
                                         .user = *attempt.update.user,
                                         .is_familiar = attempt.is_familiar,
                                         .forgotten_at = failure.forgotten_at};
    job.attempt =
        passwords_.digest({*attempt.update.user, attempt.hash, attempt.update.secret->reveal()});
    const auto asked = std::make_shared<Attempt>(std::move(attempt));
    const auto waiting = request.defer();
    job.work = [this, waiting, asked, failure, accepted] {
        const auto right = is_right(*asked);
        if (right.has_error()) return refuse_unverified(*waiting, failure, right.error().what);
        if (!*right) return refuse(*waiting, failure);
        failures_.take_back(waiting->source(), failure.counted, now_());
        accept(*waiting, std::move(*asked), accepted);
    };
    const char* const full = "too many passwords wait to be verified";
    job.displaced = [waiting, full] { refuse_for_now(*waiting, full); };
    switch (verifier_.add(std::move(job))) {
        case accounts::Verifier::Place::taken:
            return;
        case accounts::Verifier::Place::none:
            return refuse_for_now(*waiting, full);
        case accounts::Verifier::Place::no_thread:
            return refuse_unverified(*waiting, failure, "there is no thread for it");
    }
}

/// Runs on the verifier's thread. The same password may have been verified in the meantime.
base::Result<bool> Authenticator::is_right(const Attempt& attempt) {
    const std::string_view secret = attempt.update.secret->reveal();
    const accounts::VerifiedPasswords::PasswordAttempt asked{*attempt.update.user, attempt.hash,
                                                             secret};
    if (const auto known = passwords_.known(asked)) return *known;
    auto verified = accounts::verify_password(attempt.hash, secret);
    if (verified.has_error()) return verified;
    const bool right = *verified && attempt.is_hashed();
    passwords_.remember(asked, right);
    return right;
}

void Authenticator::refuse_for_now(RequestContext& request, std::string_view why) {
    request.complete(RequestOutcome::overloaded, why, protocol::server_error(request.dialect()));
}

/// The password can't be verified, which is not the client's fault: takes back the counted failure.
void Authenticator::refuse_unverified(RequestContext& request, const Failure& failure,
                                      std::string_view why) {
    failures_.take_back(request.source(), failure.counted, now_());
    unverified_.add("password", fmt::format("a password can't be verified: {}", why), now_());
    refuse_for_now(request, "its password can't be verified");
}

void Authenticator::refuse(RequestContext& request) {
    refuse(request, count_failure(request, now_()));
}

Authenticator::Failure Authenticator::count_failure(const RequestContext& request,
                                                    base::TimePoint now) {
    const auto failure = failures_.failed(request.source(), now);
    log_full_table(request, failure);
    return failure;
}

void Authenticator::log_full_table(const RequestContext& request, const Failure& failure) {
    if (failure.table_full)
        log::event(spdlog::level::warn,
                   "so many addresses send bad keys that no more can be counted: all others share "
                   "one budget",
                   request.log_fields());
}

void Authenticator::refuse_failed(RequestContext& request) {
    refuse(request, count_failure(request, now_()), Cause::hook_failed);
}

/// Answers an authentication failure within the budgets.
void Authenticator::answer(RequestContext& request, Cause cause) {
    if (cause == Cause::wrong)
        return request.complete_bad_credential(protocol::bad_credential(request.dialect()));
    request.complete(RequestOutcome::fail, "a hook failed",
                     protocol::server_error(request.dialect()));
}

/// Answers a wrong credential, or one that is not checked.
void Authenticator::refuse(RequestContext& request, const Failure& failure, Cause cause) {
    // The packaged fail2ban filter reads this line.
    if (failure.first) {
        const std::string source = request.source().to_string();
        const log::FieldScope scope(request.log_fields(
            cause == Cause::wrong ? RequestOutcome::badkey : RequestOutcome::fail));
        guessers_.add(source, fmt::format("too many bad keys from {}; refused for now", source),
                      now_());
    }
    if (failure.kind == accounts::FailureTreatmentKind::answer) return answer(request, cause);
    if (failure.kind == accounts::FailureTreatmentKind::delay) {
        if (delayed_.fetch_add(1) < most_delayed) {
            try {
                return refuse_late(request, cause);
            } catch (const std::bad_alloc&) {
                delayed_.fetch_sub(1);
                throw;
            }
        }
        delayed_.fetch_sub(1);
    }
    auto answer = protocol::too_many_guesses(request.dialect());
    answer.retry_after =
        std::max(failure.retry_after, std::chrono::ceil<std::chrono::seconds>(delay_));
    request.complete_bad_credential(std::move(answer));
}

void Authenticator::stop() {
    verifier_.stop();
    guessers_.finish();
    unverified_.finish();
}

void Authenticator::refuse_late(RequestContext& request, Cause cause) {
    boost::asio::post(io_, [this, cause, waiting = request.defer()] {
        const auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay_);
        timer->async_wait([this, cause, timer, waiting](boost::system::error_code) {
            delayed_.fetch_sub(1);
            answer(*waiting, cause);
        });
    });
}

}  // namespace sftdyn::server
