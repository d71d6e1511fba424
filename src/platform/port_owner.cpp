// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/port_owner.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "base/number.hpp"

namespace sftdyn::platform {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::address;

/// The format of /proc/net/tcp and tcp6: each four octets are one number in host byte order
/// (proc(5)).
std::optional<address> parse_address(std::string_view text) {
    std::array<unsigned char, 16> octets{};
    if (text.size() != 8 && text.size() != 32) return std::nullopt;
    for (std::size_t at = 0; at < text.size(); at += 8) {
        const auto word = base::parse_number<std::uint32_t>(text.substr(at, 8), 16);
        if (!word) return std::nullopt;
        std::memcpy(octets.data() + at / 2, &*word, sizeof *word);
    }
    if (text.size() == 32) return boost::asio::ip::address_v6(octets);
    return boost::asio::ip::address_v4({octets[0], octets[1], octets[2], octets[3]});
}

/// The listening sockets that conflict with `endpoint`, named like the links in /proc/PID/fd.
std::set<std::string> listening_sockets(const boost::asio::ip::tcp::endpoint& endpoint) {
    constexpr std::string_view listening = "0A";  // TCP_LISTEN
    std::set<std::string> found;
    for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
        std::ifstream file(table);
        std::string line;
        std::getline(file, line);  // the header
        while (std::getline(file, line)) {
            std::istringstream words(line);
            std::string slot, local, remote, state, skipped, inode;
            words >> slot >> local >> remote >> state;
            for (int i = 0; i < 5; ++i) words >> skipped;
            words >> inode;
            const auto colon = local.find(':');
            if (!words || state != listening || colon == std::string::npos) continue;
            if (base::parse_number<std::uint16_t>(std::string_view(local).substr(colon + 1), 16) !=
                endpoint.port())
                continue;
            const auto there = parse_address(std::string_view(local).substr(0, colon));
            if (!there) continue;
            if (there->is_unspecified() || endpoint.address().is_unspecified() ||
                *there == endpoint.address())
                found.insert(fmt::format("socket:[{}]", inode));
        }
    }
    return found;
}

bool has_one_of(const fs::path& process, const std::set<std::string>& sockets) {
    std::error_code error;  // the process may have ended, or belong to another user
    for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code unreadable;
        if (sockets.contains(fs::read_symlink(entry->path(), unreadable).string())) return true;
    }
    return false;
}

}  // namespace

std::optional<PortOwner> owner_of(const boost::asio::ip::tcp::endpoint& endpoint,
                                  const std::string& preferred) {
    const auto sockets = listening_sockets(endpoint);
    std::optional<PortOwner> found;
    if (sockets.empty()) return found;
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        const auto process = base::parse_number<pid_t>(entry->path().filename().string(), 10);
        if (!process || !has_one_of(entry->path(), sockets)) continue;
        std::ifstream comm(entry->path() / "comm");
        PortOwner owner{*process, {}};
        if (!std::getline(comm, owner.program)) continue;
        if (!found || owner.program == preferred) found = owner;
        if (found->program == preferred) break;
    }
    return found;
}

}  // namespace sftdyn::platform
