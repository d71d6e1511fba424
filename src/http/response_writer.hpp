// SPDX-License-Identifier: GPL-3.0-or-later
// Writes HTTP/1.1 response messages (RFC 9112 §4): small, complete, never chunked.
#pragma once

#include <string>

#include "http/message.hpp"

namespace sftdyn::http {

/// What a response message depends on in its request and connection.
struct Framing {
    unsigned version = 11;   ///< of the request: 10 or 11
    bool keep_alive = true;  ///< the connection stays open
    bool head = false;       ///< the request was HEAD: no body (RFC 9110 §9.3.2)
};

/// Appends the response to `out`.
void write_response(std::string& out, const Response& response, const Framing& framing);

}  // namespace sftdyn::http
