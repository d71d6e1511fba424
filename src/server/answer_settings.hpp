// SPDX-License-Identifier: GPL-3.0-or-later
// How requests are answered: what the configuration says of it. Immutable: a reload replaces all of
// it, and a request is answered by the settings that it came under.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "accounts/account_directory.hpp"
#include "base/clock.hpp"
#include "python/conf.hpp"
#include "python/hook_threads.hpp"

namespace sftdyn::server {

/// What is usual says the configuration: there are no defaults here. Never without a directory.
struct AnswerSettings {
    std::shared_ptr<const accounts::AccountDirectory> directory =
        std::make_shared<const accounts::AccountDirectory>();
    std::string uptodate{};            ///< the secret URL's word for a record that is as it was
    bool refusals_in_200 = false;      ///< as the letter of dyndns2 has it
    base::Duration verify_interval{};  ///< how long a confirmed state is believed
    std::shared_ptr<const python::Conf>
        hooks{};  ///< a conf that defines some; null: there are none
    std::shared_ptr<python::HookThreads> hook_threads{};  ///< that a Python conf was run on
    std::uint32_t hook_ttl{};    ///< seconds, of hosts that only hooks know
    base::Duration hook_time{};  ///< of all hooks of a request together
    python::HookLimits hook_limits{};
};

}  // namespace sftdyn::server
