// SPDX-License-Identifier: GPL-3.0-or-later
// TSIG key files in both forms.
#include "dns/tsig_key_file.hpp"
#include "fuzz.hpp"

using namespace sftdyn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text = text_of(data + 1, size - 1);
    const bool pair = data[0] % 2 == 0;
    const auto key = pair ? dns::parse_private_key(text, "Kfuzz.+163+01234.private")
                          : dns::parse_bind_key(text, "fuzz.key");
    if (key.has_value()) HOLDS(!key->name().empty() && !key->algorithm().empty());
    if (key.has_error()) HOLDS(!key.error().what.empty());
    return 0;
}
