// SPDX-License-Identifier: GPL-3.0-or-later
// What the helper that runs the event command reads, and what the program reads of it. The other
// end is taken for hostile.
#include <algorithm>
#include <array>
#include <string>

#include "dns/name.hpp"
#include "fuzz.hpp"
#include "server/event.hpp"

using namespace sftdyn;

namespace {

std::string_view text_of_octets(const auto& octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// Six variables of fixed names and a path, in lines of printable ASCII that no shell takes for
/// more than a word.
void environment_is_harmless(const server::Event& event) {
    static constexpr std::array names{
        "PATH=",           "SFTDYN_EVENT=",       "SFTDYN_HOST=",      "SFTDYN_TYPE=",
        "SFTDYN_ADDRESS=", "SFTDYN_OLD_ADDRESS=", "SFTDYN_CHECKED_IN="};
    const auto environment = server::environment_of(event);
    HOLDS(environment.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        HOLDS(environment[i].starts_with(names[i]) && environment[i].size() < 300);
        const std::string value = environment[i].substr(std::string_view(names[i]).size());
        HOLDS(i == 0 || std::all_of(value.begin(), value.end(), [](char c) {
                  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                         c == '.' || c == ':' || c == '*' || c == 'A';
              }));
    }
    const auto name = dns::Name::parse_host(event.host);
    HOLDS(name.has_value() && name->text() == event.host);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets = text_of(data, size);
    if (const auto message = server::EventMessage::read(octets)) {
        environment_is_harmless(message->event);
        // There is one way to write it: nothing hides in what has no meaning.
        const auto again = message->write();
        HOLDS(again && text_of_octets(*again) == octets);
    }
    // A name that a message may hold is one that a configuration may hold.
    if (server::is_host_name(octets)) HOLDS(dns::Name::parse_host(octets).has_value());
    if (const auto answer = server::EventAnswer::read(octets)) {
        const auto again = server::EventAnswer::read(text_of_octets(answer->write()));
        HOLDS(again && again->id == answer->id && again->outcome == answer->outcome &&
              again->detail == answer->detail);
    }
    return 0;
}
