// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/credential.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "protocol/parameter_names.hpp"

namespace sftdyn::protocol {
namespace {

/// The size in octets of the first character; 0: not valid UTF-8.
std::size_t length_of_character(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (octet(0) < 0x80) return 1;
    const std::size_t size = octet(0) >= 0xf0 ? 4 : octet(0) >= 0xe0 ? 3 : 2;
    if (octet(0) < 0xc2 || octet(0) > 0xf4 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if (octet(i) < 0x80 || octet(i) > 0xbf) return 0;
    }
    // An overlong encoding, a surrogate, or past U+10FFFF.
    const bool is_none =
        (octet(0) == 0xe0 && octet(1) < 0xa0) || (octet(0) == 0xed && octet(1) > 0x9f) ||
        (octet(0) == 0xf0 && octet(1) < 0x90) || (octet(0) == 0xf4 && octet(1) > 0x8f);
    return is_none ? 0 : size;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = length_of_character(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

std::string_view without_blanks(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

Credential basic(std::string_view encoded) {
    const auto pair = base::base64_decoded(encoded);
    const std::size_t colon = pair ? pair->reveal().find(':') : std::string_view::npos;
    if (colon == std::string_view::npos) return {};
    Credential out;
    out.user = as_utf8(pair->reveal().substr(0, colon));
    out.secret = base::Secret(as_utf8(pair->reveal().substr(colon + 1)));
    return out;
}

}  // namespace

std::string as_utf8(std::string_view text) {
    if (is_utf8(text)) return std::string(text);
    std::string out;
    out.reserve(2 * text.size());
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet >= 0x80) out += static_cast<char>(0xc0 | octet >> 6);
        out += octet < 0x80 ? c : static_cast<char>(0x80 | (octet & 0x3f));
    }
    return out;
}

Credential credential_of(std::string_view authorization) {
    const std::size_t space = authorization.find(' ');
    if (space == std::string_view::npos) return {};
    const auto scheme = authorization.substr(0, space);
    const auto rest = without_blanks(authorization.substr(space + 1));
    if (base::ascii_iequals(scheme, "Basic")) return basic(rest);
    if (rest.empty() ||
        (!base::ascii_iequals(scheme, "Token") && !base::ascii_iequals(scheme, "Bearer")))
        return {};
    Credential out;
    out.secret = base::Secret(std::string(rest));
    return out;
}

Credential credential_of(const Parameters& parameters) {
    const std::string* user = nullptr;
    const std::string* password = nullptr;
    const std::string* key = nullptr;
    for (const Parameter& parameter : parameters.all()) {
        const auto meaning = meaning_of(parameter.name);
        const std::string** place = meaning == Meaning::user       ? &user
                                    : meaning == Meaning::password ? &password
                                    : meaning == Meaning::key      ? &key
                                                                   : nullptr;
        if (place != nullptr && *place == nullptr && !parameter.value.empty())
            *place = &parameter.value;
    }
    Credential out;
    if (password == nullptr && key == nullptr) return out;
    out.secret = base::Secret(as_utf8(password != nullptr ? *password : *key));
    if (user != nullptr && password != nullptr) out.user = as_utf8(*user);
    out.may_be_password = password != nullptr && user == nullptr;
    return out;
}

}  // namespace sftdyn::protocol
