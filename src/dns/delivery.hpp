// SPDX-License-Identifier: GPL-3.0-or-later
// How far a message got.
#pragma once

#include <cstdint>

namespace sftdyn::dns {

/// How far a message got.
enum class DeliveryState : std::uint8_t {
    unsent,    ///< no octet of it has left: the server will never act on it
    in_doubt,  ///< the server may have it, may get it, and may act on it later
    answered   ///< the server has answered it, and the signature was checked
};

/// Told of each message that is sent over a connection. A value.
struct Delivery {
    DeliveryState state = DeliveryState::unsent;
    unsigned connection = 0;  ///< that it was written to, counted from 1 for each channel
};

}  // namespace sftdyn::dns
