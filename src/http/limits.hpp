// What one client, or all together, may cost.
#pragma once

#include <chrono>
#include <cstddef>

namespace sftdyn::http {

struct Limits {
    std::chrono::seconds handshake_time{10};  ///< for a TLS handshake
    std::chrono::seconds header_time{10};     ///< from the first octet of a request to the last of its header
    std::chrono::seconds idle_time{60};       ///< a kept connection without a request
    std::chrono::seconds write_time{30};      ///< for a response to be taken
    std::size_t header_octets = 16 * 1024;    ///< request line and header fields: 414 and 431
    std::size_t body_octets = 64 * 1024;      ///< 413
};

}  // namespace sftdyn::http
