// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/demo.hpp"

#include <filesystem>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/log.hpp"
#include "base/random.hpp"
#include "commands/common_options.hpp"
#include "commands/demo_dns.hpp"
#include "config/toml_reader.hpp"
#include "server/serve.hpp"

namespace sftdyn::commands {
namespace {

constexpr const char* zone = "dyn.example.org";
constexpr const char* host = "home.dyn.example.org";
constexpr const char* router = "router.dyn.example.org";
constexpr const char* nas = "nas.dyn.example.org";
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

/// The path of this program, to be typed into another terminal.
std::string program_path() {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "sftdyn" : path.string();
}

/// The secrets of the two example clients.
struct DemoClients {
    std::string key = base::random_hex(16);
    std::string password = base::random_hex(8);

    /// A host with a secret URL; and a router with user and password, and a host behind it.
    [[nodiscard]] std::string toml() const {
        return fmt::format(
            "[clients]\n\"{}\" = \"{}\"\n[clients.router]\nuser = \"router\"\npassword = \"{}\"\n"
            "hosts = [\"{}\", {{ host = \"{}\", ipv6_suffix = \"::1234:5678:9abc:def0\" }}]\n",
            key, host, password, router, nas);
    }
};

struct DemoPlaces {
    std::vector<std::string> http{};  ///< URLs
    std::string metrics{};            ///< URL
    dns::ServerAddress dns{};
    std::string control{};  ///< path of the control socket
};

void say_what_to_try(std::ostream& out, const DemoPlaces& places, const DemoClients& clients) {
    out << fmt::format(
        "\nsftdyn is running, with a private DNS server that serves {} on {}.\nTry it in another "
        "terminal:\n\n",
        zone, text_of(places.dns));
    const std::string dig = fmt::format("dig @127.0.0.1 -p {} +short", places.dns.port);
    for (const auto& address : places.http) {
        const bool v6 = address.find('[') != std::string::npos;
        out << fmt::format("  curl {}/{}\n  {} {} {}\n\n", address, clients.key, dig, host,
                           v6 ? "AAAA" : "A");
    }
    out << "The first request is answered OK, the next one UPTODATE. A router with dyndns2 sets "
           "both "
           "of its\naddresses, and by its IPv6 prefix the address of a host behind it:\n\n"
        << fmt::format(
               "  curl -u router:{} '{}/nic/update?hostname={}&myip=192.0.2.1&"
               "ip6lanprefix=2001:db8:1::/56'\n  {} {} A\n  {} {} AAAA\n\n",
               clients.password, places.http.front(), router, dig, router, dig, nas)
        << "What sftdyn knows of its hosts, and its metrics:\n\n"
        << fmt::format("  {} status --socket {}\n  curl {}/metrics\n\n", program_path(),
                       places.control, places.metrics)
        << "Ctrl-C ends everything.\n"
        << std::endl;
}

int demo(const config::Overrides& overrides, std::uint16_t dns_port, const Console& console) {
    base::log::start(overrides.verbosity + 1, overrides.debug);
    auto dns_server = DemoDns::start(zone, dns_port);
    if (dns_server.has_error()) {
        base::log::critical("{}", dns_server.error().text());
        return 1;
    }
    const DemoClients clients;
    const std::string control = dns_server->folder() / "control";
    const auto load = [&] {
        config::Loaded loaded;
        loaded.diagnostics = config::read_toml(clients.toml(), "demo.toml", loaded.settings);
        loaded.settings.http = overrides.http.empty() ? loopback() : overrides.http;
        loaded.settings.admin.control = control;
        loaded.settings.admin.metrics = {loopback().front()};
        loaded.settings.admin.metrics.front().port = 0;
        loaded.settings.dns.servers = {dns_server->address()};
        loaded.settings.dns.key_file = dns_server->key_file();
        // The sandbox would keep the demo from ending knotd and removing its folder.
        loaded.settings.landlock = false;
        loaded.settings.seccomp = false;
        return loaded;
    };
    return server::serve(load, [&](const std::vector<std::string>& addresses,
                                   const std::vector<std::string>& metrics) {
        say_what_to_try(console.out, {addresses, metrics.front(), dns_server->address(), control},
                        clients);
    });
}

}  // namespace

void add_demo(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "demo", "Try it: sftdyn with a private DNS server (Knot) on loopback, and example clients");
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
