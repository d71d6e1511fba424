// What one client, or all together, may cost.
#pragma once

#include <chrono>
#include <cstddef>

namespace sftdyn::http {

struct Limits {
    std::chrono::milliseconds handshake_time{
        10'000};  ///< for a TLS handshake, with a PROXY preamble before it
    std::chrono::milliseconds header_time{
        10'000};                                  ///< from the first octet of a request to its last
    std::chrono::milliseconds idle_time{60'000};  ///< a kept connection without a request
    std::chrono::milliseconds write_time{30'000};  ///< for a response to be taken
    std::size_t header_octets = 16 * 1024;         ///< request line and header fields: 414 and 431
    std::size_t body_octets = 64 * 1024;           ///< 413
    std::size_t connections = 2500;
    std::size_t connections_per_client =
        100;  ///< of an IPv4 address or an IPv6 /64; not of trusted proxies
    std::size_t requests_per_connection = 1000;
};

}  // namespace sftdyn::http
