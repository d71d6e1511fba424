// SPDX-License-Identifier: GPL-3.0-or-later
// `GET /<key>` of a key that is for one host.
#pragma once

#include "accounts/account_directory.hpp"
#include "base/log_throttle.hpp"
#include "server/address_watch.hpp"
#include "server/request_context.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// Gives the host the address that the request came from. What is known to be served already is
/// answered on the HTTP server's thread. Owned by `RequestRouter`. Thread-safe.
class SecretUrlHandler {
public:
    /// What it works with outlives it; `warnings` say which clients don't get what they ask for.
    SecretUrlHandler(UpdateService& updates, const update::HostTable& hosts, AddressWatch& watch,
                     base::LogThrottle& warnings)
        : updates_(updates), hosts_(hosts), watch_(watch), warnings_(warnings) {}

    /// Completes the request of a key that was found.
    void handle(RequestContext& request, const accounts::KeyEntry& entry);

private:
    void refuse_address(RequestContext& request, update::HostId host, std::string_view why);
    void ask_engine(RequestContext& request, const accounts::KeyEntry& entry);

    UpdateService& updates_;
    const update::HostTable& hosts_;
    AddressWatch& watch_;
    base::LogThrottle& warnings_;
};

}  // namespace sftdyn::server
