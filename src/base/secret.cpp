// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/secret.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace sftdyn::base {

std::string redacted(std::string_view text, std::string_view secret) {
    constexpr std::size_t shown = 6,
                          least = 3;  // a shorter match occurs by chance
    const std::size_t size = std::min(shown, secret.size());
    if (size < least) return std::string(text);
    std::vector<bool> hidden(text.size());
    for (std::size_t at = 0; at + size <= text.size(); ++at) {
        if (secret.find(text.substr(at, size)) == std::string_view::npos) continue;
        for (std::size_t i = at; i < at + size; ++i) hidden[i] = true;
    }
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!hidden[at]) {
            out += text[at];
        } else if (at == 0 || !hidden[at - 1]) {
            out += "[hidden]";
        }
    }
    return out;
}

void zeroize(std::string& text) noexcept {
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

void Secret::zeroize() noexcept {
    value_.resize(value_.capacity());  // within the capacity: nothing is allocated
    base::zeroize(value_);
}

// Moving a short string leaves its characters in the old object.
Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.zeroize(); }

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        zeroize();
        value_ = other.value_;
    }
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        zeroize();
        value_ = std::move(other.value_);
        other.zeroize();
    }
    return *this;
}

}  // namespace sftdyn::base
