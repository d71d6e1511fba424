// SPDX-License-Identifier: GPL-3.0-or-later
// The interface behind the HTTP server: takes a request, and gives a response, now or later.
#pragma once

#include <functional>
#include <optional>

#include "http/message.hpp"

namespace sftdyn::http {

/// Sends a deferred response. Called once, on any thread.
using Later = std::function<void(Response)>;

/// Implemented by the user of the HTTP server. It must exist until the server has stopped; all
/// threads of the server call it concurrently.
class Handler {
public:
    virtual ~Handler() = default;

    /// Whether requests carry all their header fields. Called on any thread.
    [[nodiscard]] virtual bool needs_fields() const { return false; }

    /// Whether the client's address is required. If so, a request from an unknown client (on a Unix
    /// socket, when no proxy names the client) is refused. Called on any thread.
    [[nodiscard]] virtual bool needs_client() const { return true; }

    /// The response, if it is known at once. Otherwise `nullopt`, and the function from `defer()`
    /// sends the response later. The request's views are valid during the call. Called on any of
    /// the server's threads.
    virtual std::optional<Response> handle(const Request& request,
                                           const std::function<Later()>& defer) = 0;
};

}  // namespace sftdyn::http
