// SPDX-License-Identifier: GPL-3.0-or-later
// What an update that names hosts and addresses asks of the engine.
#pragma once

#include <vector>

#include "accounts/account_directory.hpp"
#include "base/address_rules.hpp"
#include "protocol/dyndns_request.hpp"
#include "protocol/dyndns_response.hpp"
#include "update/engine.hpp"

namespace sftdyn::protocol {

/// The work and the answer of one update: what the engine is asked, and what is answered for each
/// host.
struct UpdatePlan {
    static constexpr std::size_t unanswered = ~std::size_t(0);
    /// One desired record, and the answer that its outcome belongs to.
    struct Step {
        std::size_t answer = unanswered;  ///< which of `answers` its outcome goes into
        update::DesiredRecord desired{};
    };
    /// Steps that go out together, all or none.
    using Group = std::vector<Step>;

    std::vector<HostAnswer>
        answers{};  ///< in the order of the request; what needs no step has its word
    std::vector<Group> groups{};
    std::vector<std::string> warnings{};  ///< for the log: why something can't be done
    std::string refused{};  ///< for the log: which address is not published, and why; then there is
                            ///< nothing else
    /// Answers that repeat another one, of the same host: which, and of which.
    std::vector<std::pair<std::size_t, std::size_t>> repeats{};
};

/// `client` is who asks, and `source` where from; `rules` say which addresses may be published.
[[nodiscard]] UpdatePlan make_plan(const AddressUpdate& update, const accounts::Client& client,
                                   const update::HostTable& names,
                                   const boost::asio::ip::address& source,
                                   const base::AddressRules& rules = {});

/// The return code for the outcomes of a host's desired records.
[[nodiscard]] ReturnCode return_code_for(const std::vector<update::UpdateStatus>& statuses);

}  // namespace sftdyn::protocol
