// SPDX-License-Identifier: GPL-3.0-or-later
// How the HTTP server reports requests that it refuses itself, which no handler sees.
#pragma once

#include <optional>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

/// A request that is malformed (RFC 9112), exceeds the limits, or whose client is not known.
struct RefusedRequest {
    /// The peer of the connection, or the client that the PROXY protocol named; absent: a Unix
    /// socket. What the request's own header says of its client is not believed.
    std::optional<boost::asio::ip::address> peer{};
    unsigned status = 400;  ///< of the response
};

/// Observes refused requests. It must exist until the server has stopped; all threads of the server
/// call it concurrently.
class Observer {
public:
    virtual ~Observer() = default;

    /// Called once per refused request, before the response is sent, on any of the server's
    /// threads.
    virtual void on_refused(const RefusedRequest& request) = 0;
};

}  // namespace sftdyn::http
