// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration of how requests are answered. Immutable: a reload replaces it as a whole, and a
// request is answered with the settings that were in force when it arrived.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "accounts/account_directory.hpp"
#include "base/clock.hpp"
#include "python/conf.hpp"
#include "python/hook_threads.hpp"

namespace sftdyn::server {

/// Has no defaults of its own; the configuration has them. `directory` is never null.
struct AnswerSettings {
    std::shared_ptr<const accounts::AccountDirectory> directory =
        std::make_shared<const accounts::AccountDirectory>();
    std::string uptodate{};        ///< the secret URL's word for an unchanged record
    bool refusals_in_200 = false;  ///< as the dyndns2 specification says
    base::Duration freshness{};    ///< see `EngineLimits`
    std::shared_ptr<const python::Conf>
        hooks{};  ///< the conf that defines hooks; null: there are none
    std::shared_ptr<python::HookThreads> hook_threads{};  ///< that the Python conf was run on
    std::uint32_t hook_ttl{};    ///< seconds, for hosts that only hooks know
    base::Duration hook_time{};  ///< for all hooks of a request together
    python::HookLimits hook_limits{};
};

}  // namespace sftdyn::server
