// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/authenticator.hpp"

#include <algorithm>
#include <memory>
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

// Each holds a connection and its memory.
constexpr unsigned most_delayed = 1000;

}  // namespace

/// A user's name and password, and where they come from.
struct Authenticator::Attempt {
    protocol::AddressUpdate update;
    base::ClientNetwork network{};
    std::string network_text{};
    bool is_familiar = false;  ///< it was right before, from the same network
    const accounts::AccountDirectory::User* user = nullptr;  ///< the settings', which the request
                                                             ///< keeps; null: there is none
    std::string hash{};  ///< that the password is verified with; empty: none need be

    [[nodiscard]] bool is_hashed() const { return user != nullptr && !user->password_hash.empty(); }
};

void Authenticator::authenticate(RequestContext& request, protocol::AddressUpdate update,
                                 const Accepted& accepted) {
    // Whoever sends nothing has guessed nothing: many clients only then send what they have.
    if (!update.secret)
        return request.complete(RequestOutcome::no_credential, "no credential",
                                protocol::bad_credential(update.dialect));
    const accounts::AccountDirectory& directory = *request.settings().directory;
    if (!update.user || directory.user(*update.user) == nullptr) {
        // A key serves as a password too, whatever the user's name.
        const accounts::KeyEntry* entry = directory.find(update.secret->reveal());
        if (entry != nullptr) {
            request.on_authenticated();
            return accepted(request, std::move(update), directory.client(*entry));
        }
        // A token is no user's. A user's name is asked for a password, whether there is such a user
        // or not.
        if (!update.user) return refuse(request);
    }
    check_password(request, std::move(update), accepted);
}

/// Passwords are chosen by people: past the second budget they are not even looked at, but for
/// those that were right before from the same network. Once any user has a hash, a wrong password
/// takes as long as verifying it, whoever is named: the time of an answer tells nothing of who
/// there is.
void Authenticator::check_password(RequestContext& request, protocol::AddressUpdate update,
                                   const Accepted& accepted) {
    Attempt attempt{std::move(update), base::client_network(request.source())};
    attempt.network_text = fmt::format("{}/{}", attempt.network.v6 ? 6 : 4, attempt.network.bits);
    const std::string& user = *attempt.update.user;
    const std::string_view secret = attempt.update.secret->reveal();
    attempt.is_familiar = familiar_.known({user, attempt.network_text, secret}).has_value();
    const auto before = failures_.look(request.source(), request.began());
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
        familiar_.remember({*update.user, attempt.network_text, update.secret->reveal()}, true);
    const accounts::Client& client = request.settings().directory->client(attempt.user->client);
    request.on_authenticated();
    accepted(request, std::move(attempt.update), client);
}

/// On the verifier's thread, in its turn.
void Authenticator::verify(RequestContext& request, Attempt attempt, const Accepted& accepted) {
    // It counts as wrong while it waits: many at once are as many guesses. Who can't be counted is
    // no guesser yet.
    const auto failure = failures_.failed(request.source(), request.began());
    if (failure.kind == accounts::FailureTreatmentKind::refuse && !failure.clean &&
        !attempt.is_familiar)
        return refuse(request, failure);
    const auto network = attempt.network;
    const std::string user = *attempt.update.user;
    const auto asked = std::make_shared<Attempt>(std::move(attempt));
    const auto waiting = request.defer();
    const auto work = [this, waiting, asked, failure, accepted] {
        const std::string_view secret = asked->update.secret->reveal();
        const bool is_right = accounts::verify_password(asked->hash, secret) && asked->is_hashed();
        passwords_.remember({*asked->update.user, asked->hash, secret}, is_right);
        if (!is_right) return refuse(*waiting, failure);
        if (failure.counted) failures_.take_back(waiting->source(), now_());
        accept(*waiting, std::move(*asked), accepted);
    };
    if (verifier_.add({network, user, failure.clean, work})) return;
    if (failure.counted) failures_.take_back(waiting->source(), waiting->began());
    waiting->complete(RequestOutcome::overloaded, "too many passwords wait to be verified",
                      protocol::server_error(waiting->dialect()));
}

void Authenticator::refuse(RequestContext& request) {
    refuse(request, failures_.failed(request.source(), now_()));
}

/// The answer to a wrong credential, or to one that is not looked at.
void Authenticator::refuse(RequestContext& request, const Failure& failure) {
    // The packaged fail2ban filter reads this line.
    if (failure.first)
        log::warn("too many bad keys from {}; refused for now", request.source().to_string());
    if (failure.table_full)
        log::warn(
            "so many addresses send bad keys that no more can be counted: the bad keys of others "
            "are refused");
    if (failure.kind == accounts::FailureTreatmentKind::answer)
        return request.complete_bad_credential(protocol::bad_credential(request.dialect()));
    if (failure.kind == accounts::FailureTreatmentKind::delay) {
        if (delayed_.fetch_add(1) < most_delayed) return refuse_late(request);
        delayed_.fetch_sub(1);
    }
    auto answer = protocol::too_many_guesses(request.dialect());
    answer.retry_after =
        std::max(failure.retry_after, std::chrono::ceil<std::chrono::seconds>(delay_));
    request.complete_bad_credential(std::move(answer));
}

void Authenticator::refuse_late(RequestContext& request) {
    boost::asio::post(io_, [this, waiting = request.defer()] {
        const auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay_);
        timer->async_wait([this, timer, waiting](boost::system::error_code) {
            delayed_.fetch_sub(1);
            waiting->complete_bad_credential(protocol::bad_credential(waiting->dialect()));
        });
    });
}

}  // namespace sftdyn::server
