// SPDX-License-Identifier: GPL-3.0-or-later
// Translates an update that names hosts and addresses into requests to the engine.
#pragma once

#include <vector>

#include "accounts/account_directory.hpp"
#include "base/address_rules.hpp"
#include "protocol/dyndns_request.hpp"
#include "protocol/dyndns_response.hpp"
#include "update/engine.hpp"

namespace sftdyn::protocol {

/// The plan for one update: what the engine is asked for, and what is answered for each host.
struct UpdatePlan {
    static constexpr std::size_t unanswered = ~std::size_t(0);
    /// One desired record, and the answer that its outcome belongs to.
    struct Step {
        std::size_t answer = unanswered;  ///< index in `answers` for its outcome
        update::DesiredRecord desired{};
    };
    /// An atomic group: all of its steps are applied, or none.
    using Group = std::vector<Step>;

    std::vector<HostAnswer> answers{};  ///< in the request's order; without a step they are final
    std::vector<Group> groups{};
    std::vector<std::string> warnings{};  ///< for the log: why something can't be done
    std::string refused{};  ///< for the log: the address that must not be published, and why; the
                            ///< plan then has nothing else
    /// Answers for a host that is named again: their index, and that of the host's first answer.
    std::vector<std::pair<std::size_t, std::size_t>> repeats{};
};

/// `source` is the address that `client` sent the update from; `rules` say which addresses may be
/// published.
[[nodiscard]] UpdatePlan make_plan(const AddressUpdate& update, const accounts::Client& client,
                                   const update::HostTable& names,
                                   const boost::asio::ip::address& source,
                                   const base::AddressRules& rules = {});

/// The address of a host in the delegated network, from prefix, subnet and suffix; `nullopt` when
/// they don't fit together.
[[nodiscard]] std::optional<boost::asio::ip::address_v6> place_in(
    const AddressUpdate::Prefix& prefix, const accounts::Ipv6Place& place);

/// The return code for the outcomes of a host's desired records.
[[nodiscard]] ReturnCode return_code_for(const std::vector<update::UpdateStatus>& statuses);

}  // namespace sftdyn::protocol
