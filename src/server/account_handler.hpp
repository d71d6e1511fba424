// SPDX-License-Identifier: GPL-3.0-or-later
// Handles requests that name hosts and addresses, in the dialects of `protocol::AddressUpdate`.
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

/// Authenticates such a request, plans it, submits it to the engine, and answers for each host.
/// Owned by `RequestRouter`. Thread-safe; the answer is sent on the thread where the last step
/// ends.
class AccountHandler {
public:
    /// The arguments outlive it. `warnings` logs clients whose requests can't be carried out as
    /// sent.
    AccountHandler(Authenticator& authenticator, UpdateService& updates,
                   const update::HostTable& hosts, AddressWatch& watch, base::LogThrottle& warnings)
        : authenticator_(authenticator),
          updates_(updates),
          hosts_(hosts),
          watch_(watch),
          warnings_(warnings) {}

    /// Completes a request that is not yet authenticated.
    void handle(RequestContext& request, protocol::AddressUpdate update);

    /// Completes a request that was authenticated as `client`.
    void handle_authenticated(RequestContext& request, protocol::AddressUpdate update,
                              const accounts::Client& client);
    /// Completes a secret URL request that updates all hosts of `client`.
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
