// SPDX-License-Identifier: GPL-3.0-or-later
// Domain names as tests write them.
#pragma once

#include "dns/name.hpp"

namespace sftdyn {

/// Only for what is a name.
inline dns::Name name(const char* text) { return *dns::Name::parse(text); }

}  // namespace sftdyn
