// SPDX-License-Identifier: GPL-3.0-or-later
// A configuration file, with its fast path for lines of [clients]. Whatever the text: no diagnostic
// holds a client's key.
#include <algorithm>
#include <array>
#include <string>

#include "config/toml_reader.hpp"
#include "fuzz.hpp"

using namespace sftdyn;

namespace {

// May stand for a key, a bare key, a label of a host, and has no six characters in common with any
// message.
constexpr std::string_view marker = "s3cr3tk9q7zxw42mkr";
constexpr std::size_t piece = 6;

bool holds_marker(std::string_view text) {
    for (std::size_t at = 0; at + piece <= marker.size(); ++at) {
        if (text.find(marker.substr(at, piece)) != std::string_view::npos) return true;
    }
    return false;
}

/// The text with the marker in it: as a line of its own, or in the middle of whatever stands there.
/// Which and where, the text itself decides, so that an input always does the same.
std::string with_marker(std::string_view text) {
    static const std::array<std::string, 8> forms = {
        "\n\"" + std::string(marker) + "\" = \"home.example.org\"\n",
        "\n\"home.example.org\" = \"" + std::string(marker) + "\"\n",
        "\n" + std::string(marker) + ".rest = \"home.example.org\"\n",
        "\n[clients." + std::string(marker) + "]\n",
        "\n[" + std::string(marker) + "]\n",
        "\n\"" + std::string(marker) + "\" = { host = \"home.example.org\" }\n\"" +
            std::string(marker) + "\" = { host = \"b.example.org\" }\n",
        "\"" + std::string(marker) + "\"",
        std::string(marker),
    };
    std::size_t hash = 14695981039346656037ULL;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    const std::string& form = forms[hash % forms.size()];
    std::size_t at = (hash >> 8) % (text.size() + 1);
    // A line goes between lines, mostly.
    if (form.front() == '\n' && (hash >> 4) % 4 != 0)
        at = std::min(text.find('\n', at), text.size());
    return std::string(text.substr(0, at)) + form + std::string(text.substr(at));
}

config::Diagnostics read(std::string_view text, config::Settings& settings) {
    auto diagnostics = config::read_toml(text, "fuzz.toml", settings);
    for (const auto& diagnostic : diagnostics) {
        HOLDS(!diagnostic.what.empty() && !diagnostic.remedy.empty() &&
              diagnostic.where.starts_with("fuzz.toml"));
        HOLDS(!holds_marker(diagnostic.text()));
    }
    return diagnostics;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    config::Settings marked;
    read(with_marker(text_of(data, size)), marked);

    config::Settings settings;
    if (!read(text_of(data, size), settings).empty()) return 0;
    HOLDS(settings.timeout.count() > 0);
    for (std::size_t i = 0; i < settings.clients.size(); ++i) {
        const auto client = settings.clients[i];
        HOLDS(!client.key.empty() && client.key[0] != '/');
        HOLDS(dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data()))
                  .bytes() == client.host);
    }
    return 0;
}
