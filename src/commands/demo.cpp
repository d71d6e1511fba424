// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/demo.hpp"

#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/log.hpp"
#include "base/random.hpp"
#include "commands/common_options.hpp"
#include "commands/demo_dns.hpp"
#include "server/serve.hpp"

namespace sftdyn::commands {
namespace {

constexpr const char* zone = "dyn.example.org";
constexpr const char* host = "home.dyn.example.org";
constexpr std::uint16_t http_port = 8080;
constexpr std::uint16_t usual_dns_port = 5300;

/// Loopback listeners, for IPv6 only if this machine has it.
std::vector<config::Listen> loopback() {
    std::vector<config::Listen> out(1);
    out[0].address = boost::asio::ip::address_v4::loopback();
    out[0].port = http_port;
    boost::asio::io_context io;
    boost::system::error_code error;
    boost::asio::ip::tcp::acceptor probe(io);
    probe.open(boost::asio::ip::tcp::v6(), error);
    if (!error) probe.bind({boost::asio::ip::address_v6::loopback(), 0}, error);
    if (error) return out;
    out.push_back(out[0]);
    out[1].address = boost::asio::ip::address_v6::loopback();
    return out;
}

void say_what_to_try(std::ostream& out, const std::vector<std::string>& addresses,
                     const dns::ServerAddress& server, const std::string& key) {
    out << fmt::format(
        "\nsftdyn is running, with a private DNS server that serves {} on {}.\nTry it in another "
        "terminal:\n\n",
        zone, text_of(server));
    for (const auto& address : addresses) {
        const bool v6 = address.find('[') != std::string::npos;
        out << fmt::format("  curl {}/{}\n  dig @127.0.0.1 -p {} +short {} {}\n\n", address, key,
                           server.port, host, v6 ? "AAAA" : "A");
    }
    out << "The first curl says OK, the second UPTODATE. Ctrl-C ends everything.\n" << std::endl;
}

int demo(const config::Overrides& overrides, std::uint16_t dns_port, const Console& console) {
    base::log::start(overrides.verbosity + 1, overrides.debug);
    auto dns_server = DemoDns::start(zone, dns_port);
    if (dns_server.has_error()) {
        base::log::critical("{}", dns_server.error().text());
        return 1;
    }
    const std::string key = base::random_hex(16);
    const auto load = [&] {
        config::Loaded loaded;
        loaded.settings.http = overrides.http.empty() ? loopback() : overrides.http;
        loaded.settings.dns.servers = {dns_server->address()};
        loaded.settings.dns.key_file = dns_server->key_file();
        // The sandbox would keep the demo from ending knotd and removing its folder.
        loaded.settings.landlock = false;
        loaded.settings.seccomp = false;
        loaded.settings.clients.add(key, dns::Name::parse_host(host).value(), {}, 1);
        return loaded;
    };
    return server::serve(load, [&](const std::vector<std::string>& addresses, const auto&) {
        say_what_to_try(console.out, addresses, dns_server->address(), key);
    });
}

}  // namespace

void add_demo(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "demo",
        "Try it: sftdyn with a private DNS server (Knot) on loopback, and one example host");
    const auto dns_port = std::make_shared<std::uint16_t>(usual_dns_port);
    add_listen(app, "-l,--http", "HTTP", line.overrides, &config::Overrides::http);
    app.add_option("--dns-port", *dns_port, "The DNS server's port; 0: any free one")
        ->capture_default_str();
    add_log_flags(app, line.overrides);
    app.callback([&line, dns_port] {
        line.run = [overrides = line.overrides, dns_port](const Console& console) {
            return demo(*overrides, *dns_port, console);
        };
    });
}

}  // namespace sftdyn::commands
