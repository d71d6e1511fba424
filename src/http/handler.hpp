// SPDX-License-Identifier: GPL-3.0-or-later
// What stands behind the HTTP server: a request goes in, a response comes out, now or later.
#pragma once

#include <functional>
#include <optional>

#include "http/message.hpp"

namespace sftdyn::http {

/// Takes the response once, on any thread.
using Later = std::function<void(Response)>;

/// The HTTP server's user. It exists until the server has stopped, and is called by all of the
/// server's threads at once.
class Handler {
public:
    virtual ~Handler() = default;

    /// Whether requests shall come with all their header fields. Called on any thread.
    [[nodiscard]] virtual bool needs_fields() const { return false; }

    /// Whether it matters who asks: then a request whose client is not known (a Unix socket's,
    /// without a proxy's word) is refused. Called on any thread.
    [[nodiscard]] virtual bool needs_client() const { return true; }

    /// The response, if it is known at once; else `defer()` gives where it shall go when it is. The
    /// request's views are valid during the call. Called on any of the server's threads.
    virtual std::optional<Response> handle(const Request& request,
                                           const std::function<Later()>& defer) = 0;
};

}  // namespace sftdyn::http
