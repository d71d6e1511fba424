// SPDX-License-Identifier: GPL-3.0-or-later
// Handles `GET /<key>` for keys of one host.
#pragma once

#include "accounts/account_directory.hpp"
#include "base/log_throttle.hpp"
#include "server/address_watch.hpp"
#include "server/request_context.hpp"
#include "server/update_service.hpp"

namespace sftdyn::server {

/// Sets the host's address to the source of the request. If the address is known to be served,
/// answers on the HTTP server's thread. Owned by `RequestRouter`. Thread-safe.
class SecretUrlHandler {
public:
    /// The arguments outlive it. `warnings` logs clients whose requests can't be carried out.
    SecretUrlHandler(UpdateService& updates, const update::HostTable& hosts, AddressWatch& watch,
                     base::LogThrottle& warnings)
        : updates_(updates), hosts_(hosts), watch_(watch), warnings_(warnings) {}

    /// Completes a request with a valid key.
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
