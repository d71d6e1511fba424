// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/base64.hpp"

#include <algorithm>
#include <utility>

#include <openssl/evp.h>

namespace sftdyn::base {

bool is_base64(std::string_view text) {
    const auto body = text.substr(0, text.find('='));
    const auto padding = text.substr(body.size());
    if (text.empty() || text.size() % 4 != 0 || padding.size() > 2) return false;
    const auto is_digit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
    };
    return std::all_of(body.begin(), body.end(), is_digit) &&
           padding == std::string_view("==").substr(0, padding.size());
}

std::string base64_encoded(std::span<const unsigned char> octets) {
    // EVP_EncodeBlock appends a NUL.
    std::string text(4 * ((octets.size() + 2) / 3) + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets.data(),
                    static_cast<int>(octets.size()));
    text.pop_back();
    return text;
}

std::optional<Secret> base64_decoded(std::string_view text) {
    if (!is_base64(text)) return std::nullopt;
    std::string octets(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    // EVP_DecodeBlock decodes padding as zero octets.
    const auto padding = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
    octets.resize(static_cast<std::size_t>(size) - padding);
    return Secret(std::move(octets));
}

}  // namespace sftdyn::base
