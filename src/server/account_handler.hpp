// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that name hosts and addresses, in the dialects of `protocol::AddressUpdate`.
#pragma once

#include <memory>

#include "accounts/account_directory.hpp"
#include "base/log_throttle.hpp"
#include "protocol/dyndns_request.hpp"
#include "server/address_watch.hpp"
#include "server/authenticator.hpp"
#include "server/request_context.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// Takes such a request through credential, plan and the engine's work to an answer for each host.
/// Owned by `RequestRouter`. Thread-safe; the answer comes on the thread where the last step ends.
class AccountHandler {
public:
    /// What it works with outlives it; `warnings` say which clients don't get what they ask for.
    AccountHandler(Authenticator& authenticator, UpdateService& updates,
                   const update::HostTable& hosts, AddressWatch& watch, base::LogThrottle& warnings)
        : authenticator_(authenticator),
          updates_(updates),
          hosts_(hosts),
          watch_(watch),
          warnings_(warnings) {}

    /// Completes a request whose credential was not looked at yet.
    void handle(RequestContext& request, protocol::AddressUpdate update);

    /// Completes a request whose credential is right, and `client`'s.
    void handle_authenticated(RequestContext& request, protocol::AddressUpdate update,
                              const accounts::Client& client);
    /// Completes the request of a secret URL that is for all hosts of `client`.
    void update_all_hosts(RequestContext& request, const accounts::Client& client);

    [[nodiscard]] const update::HostTable& hosts() const { return hosts_; }

private:
    struct AccountUpdate;

    void find_user(const accounts::AccountDirectory& directory,
                   protocol::AddressUpdate& update) const;

    void carry_out(RequestContext& request, protocol::AddressUpdate update,
                   const accounts::Client& client);
    void refuse_address(RequestContext& request, const std::string& why, http::Response response);
    void log_warning(const RequestContext& request, const std::string& warning);
    void log_warnings(const RequestContext& request, const AccountUpdate& job);
    void look_up_served(const RequestContext& request, AccountUpdate& job) const;
    void ask_engine(RequestContext& request, AccountUpdate job);
    void answered(AccountUpdate& job, std::size_t asked,
                  const std::vector<update::UpdateOutcome>& outcomes)
        REQUIRES(update::engine_thread);
    void recheck(AccountUpdate& job) const REQUIRES(update::engine_thread);
    static void complete(RequestContext& request, AccountUpdate& job);

    Authenticator& authenticator_;
    UpdateService& updates_;
    const update::HostTable& hosts_;
    AddressWatch& watch_;
    base::LogThrottle& warnings_;
};

}  // namespace sftdyn::server
