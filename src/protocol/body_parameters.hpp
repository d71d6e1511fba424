// SPDX-License-Identifier: GPL-3.0-or-later
// The parameters of a request's body: a form (WHATWG URL, application/x-www-form-urlencoded), a
// JSON object (RFC 8259) or a multipart form (RFC 7578). Pure functions.
#pragma once

#include <string_view>

#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {

/// Adds what the body has, whatever its Content-Type says: many clients send a wrong one. False:
/// it is none of these, or a JSON object or multipart form that can't be read. An empty body has
/// none.
[[nodiscard]] bool add_body(std::string_view body, Parameters& parameters);

}  // namespace sftdyn::protocol
