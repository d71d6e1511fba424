// SPDX-License-Identifier: GPL-3.0-or-later
// What the HTTP server tells of requests that it refuses by itself: no handler sees them.
#pragma once

#include <optional>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

/// A request that can't be read (RFC 9112), is longer than the limits allow, or whose client is not
/// known.
struct RefusedRequest {
    /// The connection's other end, or whom the PROXY protocol named; absent: a Unix socket's. What
    /// the request's own header says of its client is not believed.
    std::optional<boost::asio::ip::address> peer{};
    unsigned status = 400;  ///< of the answer
};

/// Told of refused requests. It exists until the server has stopped, and is called by all of the
/// server's threads at once.
class Observer {
public:
    virtual ~Observer() = default;

    /// Called once for each, before the answer is sent, on any of the server's threads.
    virtual void on_refused(const RefusedRequest& request) = 0;
};

}  // namespace sftdyn::http
