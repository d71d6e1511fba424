// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <map>
#include <set>

#include "config/toml_clients.hpp"

namespace sftdyn::config {
namespace {

/// What clients have in common. Clients are looked at in the order of the files, of which the TOML
/// library does not keep that of lines: the later client is the mistake.
class NamedClientComparison {
public:
    NamedClientComparison(TomlFiles& files, const Settings& settings)
        : files_(files), settings_(settings) {}

    void look_at(const NamedClient& client) {
        if (client.has_table) look("name", names_, client.name, client.source);
        if (client.key) {
            const auto key = client.key->reveal();
            if (const auto other = settings_.clients.source_of_key(key)) {
                twice("key", client.source, *other);
            } else {
                look("key", keys_, key, client.source);
            }
        }
        if (client.user) look("user", users_, *client.user, client.source);
        // Several clients may share a host: a router updates its IPv4 address, a machine its IPv6
        // address.
        std::set<dns::Name> hosts;
        for (const auto& host : client.hosts) {
            if (!hosts.insert(host.name).second) twice("host", client.source, client.source);
        }
    }

private:
    using Seen = std::map<std::string_view, SourceLine>;

    void look(const char* what, Seen& seen, std::string_view text, SourceLine source) {
        const auto [found, is_new] = seen.try_emplace(text, source);
        if (!is_new) twice(what, source, found->second);
    }

    void twice(const char* what, SourceLine source, SourceLine first) {
        files_[source.file].error(toml::source_position{source.line, 1},
                                  fmt::format("this client's {} appears twice (first in {})", what,
                                              files_.text_of(first, source.file)),
                                  "keep one of them");
    }

    TomlFiles& files_;
    const Settings& settings_;
    Seen names_{}, keys_{}, users_{};
};

}  // namespace

void compare_named_clients(TomlFiles& files, const Settings& settings) {
    std::vector<const NamedClient*> clients;
    for (const auto& client : settings.named_clients) clients.push_back(&client);
    std::sort(clients.begin(), clients.end(),
              [](const NamedClient* a, const NamedClient* b) { return a->source < b->source; });
    NamedClientComparison comparison(files, settings);
    for (const NamedClient* client : clients) comparison.look_at(*client);
}

}  // namespace sftdyn::config
