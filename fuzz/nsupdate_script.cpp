// SPDX-License-Identifier: GPL-3.0-or-later
// nsupdate's scripts.
#include <sstream>

#include "dns/nsupdate_script.hpp"
#include "fuzz.hpp"

using namespace sftdyn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::istringstream text{std::string(text_of(data, size))};
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    const auto script = dns::parse_script(lines, dns::Unsent::send);
    if (script.has_error()) {
        HOLDS(script.error().where.starts_with("line "));
        return 0;
    }
    for (const auto& message : script->messages) {
        HOLDS(!message.empty() && message.home().size() > 0);
        for (const auto& record : message.updates) {
            HOLDS(record.ttl <= 0x7fffffff && record.rdata.size() <= 65535);
            HOLDS(record.rclass != dns::UpdateRecord::Class::any || record.rdata.empty());
        }
    }
    return 0;
}
