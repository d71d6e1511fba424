// SPDX-License-Identifier: GPL-3.0-or-later
// Datagrams to a Unix socket of another program, such as systemd or its journal.
#pragma once

#include <string_view>

#include "base/descriptor.hpp"

namespace sftdyn::base {

/// A socket that is connected to the Unix datagram socket `name`: a path, or "@" and an abstract
/// name (unix(7)). Empty on failure, and errno says why. Thread-safe.
[[nodiscard]] Descriptor connect_unix_datagram(std::string_view name);

/// Sends one datagram, without waiting for the receiver. False on failure, and errno says why:
/// EAGAIN when the receiver's queue is full. Thread-safe.
[[nodiscard]] bool send_datagram(const Descriptor& socket, std::string_view octets);

}  // namespace sftdyn::base
