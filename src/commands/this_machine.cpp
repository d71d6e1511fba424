// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/this_machine.hpp"

#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "base/address_rules.hpp"
#include "base/ascii.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;
namespace ip = boost::asio::ip;

constexpr std::array special_domains = {
    "alt",     "arpa", "corp",  "domain",      "example",   "fritz.box", "home", "internal",
    "invalid", "lan",  "local", "localdomain", "localhost", "onion",     "test"};

struct KnownServer {
    const char* kind;
    const char* program;
};
constexpr std::array<KnownServer, 3> known_servers = {
    {{"bind", "named"}, {"knot", "knotd"}, {"powerdns", "pdns_server"}}};

struct FreeAddresses {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

/// The source address of packets to `destination`.
std::optional<ip::address> source_towards(const char* destination) {
    boost::asio::io_context io;
    boost::system::error_code error;
    const ip::udp::endpoint there(ip::make_address(destination), 53);
    ip::udp::socket socket(io);
    socket.open(there.protocol(), error);
    // This binds the socket and sends nothing (udp(7)).
    if (!error) socket.connect(there, error);
    if (error) return std::nullopt;
    const ip::address source = socket.local_endpoint(error).address();
    if (error || base::is_nobodys(source) || source.is_loopback()) return std::nullopt;
    return source;
}

bool runs(const fs::path& proc, const std::string& program) {
    std::error_code error;  // a process may have ended in the meantime
    for (fs::directory_iterator entry(proc, error), end; !error && entry != end;
         entry.increment(error)) {
        std::ifstream comm(entry->path() / "comm");
        std::string name;
        if (std::getline(comm, name) && name == program) return true;
    }
    return false;
}

}  // namespace

bool is_public_name(const std::string& name) {
    if (name.find('.') == std::string::npos) return false;
    return std::none_of(special_domains.begin(), special_domains.end(), [&](const char* domain) {
        const std::string end = std::string(".") + domain;
        return name.size() > end.size() &&
               base::ascii_iequals(std::string_view(name).substr(name.size() - end.size()), end);
    });
}

std::optional<std::string> public_host_name() {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) return std::nullopt;
    std::string name = host.data();
    if (name.find('.') == std::string::npos) {
        // Debian keeps the full name in /etc/hosts.
        addrinfo hints{};
        hints.ai_flags = AI_CANONNAME;
        addrinfo* found = nullptr;
        if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
        const std::unique_ptr<addrinfo, FreeAddresses> list(found);
        if (list->ai_canonname != nullptr) name = list->ai_canonname;
    }
    if (!is_public_name(name)) return std::nullopt;
    return name;
}

std::vector<ip::address> own_addresses() {
    std::vector<ip::address> all;
    // Addresses for documentation (RFC 5737, RFC 3849): only the default route leads to them.
    for (const char* destination : {"192.0.2.1", "2001:db8::1"}) {
        if (const auto source = source_towards(destination)) all.push_back(*source);
    }
    // With a global address, local ones are useless: Internet hosts would try them in vain.
    const auto is_local = [](const ip::address& address) {
        return base::scope_of(address) != base::AddressScope::global;
    };
    if (!std::all_of(all.begin(), all.end(), is_local)) std::erase_if(all, is_local);
    return all;
}

std::optional<std::string> dns_server_here(const fs::path& root) {
    for (const auto& server : known_servers) {
        if (runs(root / "proc", server.program)) return server.kind;
    }
    for (const auto& server : known_servers) {
        std::error_code error;  // a file that can't be seen counts as missing
        if (fs::exists(root / "usr/sbin" / server.program, error)) return server.kind;
    }
    return std::nullopt;
}

}  // namespace sftdyn::commands
