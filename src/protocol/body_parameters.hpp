// SPDX-License-Identifier: GPL-3.0-or-later
// The parameters of a request's body: a form (WHATWG URL, application/x-www-form-urlencoded), a
// JSON object (RFC 8259) or a multipart form (RFC 7578). Pure functions.
#pragma once

#include <string_view>

#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {

/// Adds the parameters of the body. Ignores Content-Type, since many clients send a wrong one.
/// False: the body has none of these formats, or is a malformed JSON object or multipart form. An
/// empty body has no parameters.
[[nodiscard]] bool add_body(std::string_view body, Parameters& parameters);

}  // namespace sftdyn::protocol
