// SPDX-License-Identifier: GPL-3.0-or-later
// Datagrams to one Unix socket of another program, as systemd and its journal take them.
#pragma once

#include <string_view>

#include "base/descriptor.hpp"

namespace sftdyn::base {

/// A socket that is connected to the Unix datagram socket `name`: a path, or "@" and what an
/// abstract name has behind its null octet (unix(7)). Empty: it can't be had, and errno says why.
/// Thread-safe.
[[nodiscard]] Descriptor connect_unix_datagram(std::string_view name);

/// Sends one datagram by it, if need be after a wait for the receiver. False: it was not taken, and
/// errno says why. Thread-safe.
[[nodiscard]] bool send_datagram(const Descriptor& socket, std::string_view octets);

}  // namespace sftdyn::base
