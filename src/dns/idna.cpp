// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/idna.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace sftdyn::dns {
namespace {

struct FreeIdna {
    void operator()(char* text) const { idn2_free(text); }
};
using IdnaText = std::unique_ptr<char, FreeIdna>;

}  // namespace

base::Result<std::string> idna_form(std::string_view text) {
    std::string name(text);
    const bool is_ascii = std::all_of(name.begin(), name.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_ascii) return base::Result<std::string>(boost::system::in_place_value, std::move(name));
    const base::Error wrong{"it has letters that no domain name can have (IDNA 2008)", "",
                            "write it in letters, digits and hyphens, or in its xn-- form"};
    const std::string wildcard = name.starts_with("*.") ? "*." : "";
    name.erase(0, wildcard.size());
    if (name.find('\0') != std::string::npos) return wrong;
    char* found = nullptr;
    const int error = idn2_to_ascii_8z(name.c_str(), &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    const IdnaText ascii(found);
    if (error != IDN2_OK || !ascii) return wrong;
    return base::Result<std::string>(boost::system::in_place_value, wildcard + ascii.get());
}

std::string idna_shown(const std::string& text) {
    char* found = nullptr;
    const int error = idn2_to_unicode_8z8z(text.c_str(), &found, 0);
    const IdnaText shown(found);
    return error == IDN2_OK && shown ? std::string(shown.get()) : text;
}

}  // namespace sftdyn::dns
