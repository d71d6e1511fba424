// SPDX-License-Identifier: GPL-3.0-or-later
// Plans the desired records of an update that names hosts and addresses.
#pragma once

#include <vector>

#include "accounts/account_directory.hpp"
#include "base/address_rules.hpp"
#include "protocol/dyndns_request.hpp"
#include "protocol/dyndns_response.hpp"
#include "update/engine.hpp"

namespace sftdyn::protocol {

/// The plan of one update: the desired records for the engine, and the answers for the hosts.
struct UpdatePlan {
    static constexpr std::size_t unanswered = ~std::size_t(0);
    /// One desired record, and the answer that its outcome goes into.
    struct Step {
        std::size_t answer = unanswered;  ///< index in `answers`
        update::DesiredRecord desired{};
    };
    /// Groups of steps. A group is atomic.
    using Group = std::vector<Step>;

    std::vector<HostAnswer>
        answers{};  ///< in the order of the request; without steps the return code is set
    std::vector<Group> groups{};
    std::vector<std::string> warnings{};  ///< for the log: why something can't be carried out
    std::string refused{};  ///< for the log: the address that is not published, and why; then there
                            ///< are no groups
    /// Answers that repeat that of the same host: index of the answer, index of the original.
    std::vector<std::pair<std::size_t, std::size_t>> repeats{};
};

/// Makes the plan. `client` and `source` are the authenticated client and its address. `rules`
/// determine which addresses may be published.
[[nodiscard]] UpdatePlan make_plan(const AddressUpdate& update, const accounts::Client& client,
                                   const update::HostTable& names,
                                   const boost::asio::ip::address& source,
                                   const base::AddressRules& rules = {});

/// The return code for the outcomes of a host's desired records.
[[nodiscard]] ReturnCode return_code_for(const std::vector<update::UpdateStatus>& statuses);

}  // namespace sftdyn::protocol
