// SPDX-License-Identifier: GPL-3.0-or-later
// The delivery state of a message.
#pragma once

#include <cstdint>

namespace sftdyn::dns {

/// How far a message has got on its way to the server.
enum class DeliveryState : std::uint8_t {
    unsent,    ///< no octet was sent: the server will never act on it
    in_doubt,  ///< the server may have it or still receive it, and may act on it later
    answered   ///< the server has answered it, and the signature was checked
};

/// The delivery of a message that was sent over a connection. A value.
struct Delivery {
    DeliveryState state = DeliveryState::unsent;
    unsigned connection = 0;  ///< the connection it was written to, counted from 1 in each channel
};

}  // namespace sftdyn::dns
