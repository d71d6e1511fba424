// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/client.hpp"

#include <qrencode.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/common_options.hpp"
#include "commands/quoted.hpp"
#include "commands/server_url.hpp"
#include "config/load.hpp"
#include "http/tls.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {
namespace {

struct ClientOptions {
    std::string name{};         ///< of the client
    std::string url{};          ///< of the server; empty: guessed from the configuration
    bool show_secrets = false;  ///< also when the output is not a terminal
    bool list = false;          ///< list the clients instead
};

/// The data of one client, as text.
struct Sheet {
    std::string instance;  ///< name of the curl file and the systemd timer
    std::string url;       ///< of the server, without a final slash
    std::string server;    ///< `url` without the scheme
    bool tls = false;
    std::vector<std::string> hosts;
    std::optional<std::string> key;  ///< percent-encoded
    std::optional<std::string> user;
    std::string password;
    bool has_places = false;       ///< some hosts combine the prefix with an IPv6 suffix
    bool may_set_address = false;  ///< false: its requests should not name an address

    [[nodiscard]] std::string secret_url() const { return url + "/" + key.value_or(""); }
    [[nodiscard]] std::string host_list() const { return fmt::format("{}", fmt::join(hosts, ",")); }
    /// `parameter`, which names an address, if the client may set one; else empty.
    [[nodiscard]] std::string naming(const char* parameter) const {
        return may_set_address ? parameter : "";
    }
    [[nodiscard]] std::string login() const { return user ? *user : "any"; }
    [[nodiscard]] std::string secret() const { return user ? password : key.value_or(""); }
};

/// Encodes every character with a meaning in a URL or a shell. The server decodes the key.
std::string url_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') ||
                           std::string_view("-._~/").find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

/// The server's URL, as far as the configuration tells: SERVER stands for an unknown name.
std::string guess_url(const config::Settings& settings) {
    const auto port_of = [](const std::vector<config::Listen>& listens, unsigned usual) {
        const auto tcp = std::find_if(
            listens.begin(), listens.end(),
            [](const config::Listen& listen) { return listen.path.empty() && listen.port != 0; });
        return tcp == listens.end() || tcp->port == usual ? std::string()
                                                          : fmt::format(":{}", tcp->port);
    };
    if (settings.https.empty()) return "http://SERVER" + port_of(settings.http, 80);
    std::string name = "SERVER";
    for (const auto& files : config::certificates(settings)) {
        const auto certificate = http::read_certificate(files.cert, files.key);
        if (certificate.has_error() || certificate->names.empty() ||
            certificate->names.front().starts_with('*'))
            continue;
        name = certificate->names.front();
        break;
    }
    return "https://" + name + port_of(settings.https, 443);
}

std::string host_of(const config::ListedClient& client) {
    return dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data())).text();
}

/// Prints the names that `find` accepts, one in a line, without secrets.
void list(const config::Settings& settings, std::ostream& out) {
    for (const auto& client : settings.named_clients)
        if (!quoted::has_control_characters(client.name)) out << client.name << '\n';
    for (std::size_t i = 0; i < settings.clients.size(); ++i)
        out << host_of(settings.clients[i]) << '\n';
    out << std::flush;
}

std::optional<Sheet> find(const config::Settings& settings, const std::string& name) {
    Sheet sheet;
    const auto wanted = config::parse_client_host(name);
    for (const auto& client : settings.named_clients) {
        if (client.name != name) continue;
        for (const auto& host : client.hosts) {
            sheet.hosts.push_back(host.name.text());
            sheet.has_places = sheet.has_places || host.ipv6_suffix;
        }
        if (client.key) sheet.key = url_encoded(client.key->reveal());
        sheet.user = client.user;
        sheet.may_set_address = client.may_set_address;
        sheet.password =
            client.password_hash.empty() ? std::string(client.password.reveal()) : "THE PASSWORD";
        return sheet;
    }
    for (std::size_t i = 0; i < settings.clients.size(); ++i) {
        const auto client = settings.clients[i];
        if (wanted.has_error() || client.host != wanted->bytes()) continue;
        sheet.hosts.push_back(wanted->text());
        sheet.key = url_encoded(client.key);
        return sheet;
    }
    return std::nullopt;
}

void heading(std::ostream& out, std::string_view text) { out << "\n# " << text << "\n\n"; }

void print_qr(std::ostream& out, const std::string& text) {
    struct Free {
        void operator()(QRcode* code) const { QRcode_free(code); }
    };
    const std::unique_ptr<QRcode, Free> code(
        QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_L));
    if (!code) return;  // too long for a QR code; the URL was printed before
    const auto dark = [&](int x, int y) {
        return x >= 0 && y >= 0 && x < code->width && y < code->width &&
               (code->data[y * code->width + x] & 1) != 0;
    };
    // Half blocks put two rows into one line. The colours are for a dark terminal; the quiet zone
    // is around the code (ISO/IEC 18004).
    for (int y = -2; y < code->width + 2; y += 2) {
        for (int x = -2; x < code->width + 2; ++x) {
            const bool upper = !dark(x, y), lower = !dark(x, y + 1);
            out << (upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ");
        }
        out << '\n';
    }
}

void print_secret_url(std::ostream& out, const Sheet& sheet) {
    heading(
        out,
        "Secret URL (routers: user-defined provider; the host's name as domain; anything for user "
        "and password)");
    out << sheet.secret_url() << '\n';
    heading(out, "By hand");
    out << fmt::format("curl -fsS {}\n", quoted::for_shell(sheet.secret_url()));
    heading(out, "cron: crontab -e");
    out << fmt::format("*/15 * * * * curl -fsS {} >/dev/null\n",
                       quoted::for_cron(quoted::for_shell(sheet.secret_url())));
    // All users can read unit files and command lines, so the secret is in a file for root.
    heading(out, fmt::format("File for systemd, readable only by root: (umask 077; mkdir -p "
                             "/etc/sftdyn/update; cat >/etc/sftdyn/update/{}.conf)",
                             sheet.instance));
    out << fmt::format("url = {}\n", quoted::for_curl_file(sheet.secret_url()));
    if (sheet.tls)
        out << "# With a self-signed certificate:  cacert = \"/etc/sftdyn/server.crt\"\n";
    heading(out,
            fmt::format("systemd: systemctl enable --now sftdyn-update@{}.timer; where the package "
                        "sftdyn is not installed, first"
                        " /etc/systemd/system/sftdyn-update@.service and sftdyn-update@.timer",
                        sheet.instance));
    out << "[Unit]\nDescription=Dynamic DNS update of "
           "%i\nWants=network-online.target\nAfter=network-online.target\n\n"
           "[Service]\nType=oneshot\nDynamicUser=yes\nLoadCredential=curl."
           "conf:/etc/sftdyn/update/%i.conf\n"
           "ExecStart=/usr/bin/curl --fail --silent --show-error --max-time 60 --config "
           "${CREDENTIALS_DIRECTORY}/curl.conf\n\n";
    out << "[Unit]\nDescription=Dynamic DNS update of %i every 15 minutes\n\n"
           "[Timer]\nOnCalendar=*:0/15\nPersistent=true\nRandomizedDelaySec=60\n\n"
           "[Install]\nWantedBy=timers.target\n";
    heading(out, "QR code of the secret URL");
    print_qr(out, sheet.secret_url());
}

void print_dyndns2(std::ostream& out, const Sheet& sheet) {
    const std::string update =
        fmt::format("{}/nic/update?hostname={}", sheet.url, sheet.host_list());
    heading(out, "dyndns2 by hand");
    out << fmt::format("curl -sS -u {} {}\n",
                       quoted::for_shell(sheet.login() + ":" + sheet.secret()),
                       quoted::for_shell(update));
    heading(out, "FRITZ!Box: Internet, Permit Access, DynDNS, provider user-defined");
    out << fmt::format(
        "Update URL:  {}/nic/update?hostname=<domain>{}{}&username=<username>&password=<pass>\n",
        sheet.url, sheet.naming("&myip=<ipaddr>&myipv6=<ip6addr>"),
        sheet.has_places ? "&ip6lanprefix=<ip6lanprefix>" : "");
    out << fmt::format("Domain name: {}\nUser name:   {}\nPassword:    {}\n", sheet.hosts.front(),
                       sheet.login(), sheet.secret());
    heading(out, "UniFi: Settings, Internet, Dynamic DNS");
    out << fmt::format(
        "Service: custom\nHostname: {}\nUsername: {}\nPassword: {}\nServer: "
        "{}/nic/update?hostname=%h{}\n",
        sheet.hosts.front(), sheet.login(), sheet.secret(), sheet.server, sheet.naming("&myip=%i"));
    heading(out, "OPNsense and pfSense: Services, Dynamic DNS, type Custom");
    out << fmt::format(
        "Username: {}\nPassword: {}\nUpdate URL: {}/nic/update?hostname={}{}\nResult match "
        "(pfSense): good %IP%|nochg %IP%\n",
        sheet.login(), sheet.secret(), sheet.url, sheet.hosts.front(), sheet.naming("&myip=%IP%"));
    out << fmt::format(
        "OPNsense (ddclient backend): service Custom, protocol DynDns2, server {}, hostname {}\n",
        sheet.server, sheet.hosts.front());
    heading(out, "OpenWrt: /etc/config/ddns");
    out << fmt::format(
        "config service 'sftdyn'\n\toption enabled '1'\n\toption lookup_host '{0}'\n\toption "
        "domain '{0}'\n\toption username {1}\n\toption "
        "password {2}\n\toption update_url {3}\n\toption use_https '{4}'\n",
        sheet.hosts.front(), quoted::for_shell(sheet.login()), quoted::for_shell(sheet.secret()),
        quoted::for_shell(
            fmt::format("{}://[USERNAME]:[PASSWORD]@{}/nic/update?hostname=[DOMAIN]{}",
                        sheet.tls ? "https" : "http", sheet.server, sheet.naming("&myip=[IP]"))),
        sheet.tls ? 1 : 0);
    heading(out, "ddclient: /etc/ddclient.conf");
    out << fmt::format("protocol=dyndns2\nserver={}\nssl={}\nlogin={}\npassword='{}'\n{}\n",
                       sheet.server, sheet.tls ? "yes" : "no", quoted::for_ddclient(sheet.login()),
                       sheet.secret(), sheet.host_list());
    heading(out, "inadyn: /etc/inadyn.conf");
    out << fmt::format(
        "custom sftdyn {{\n    username = {}\n    password = {}\n    ddns-server = {}\n    "
        "ddns-path = "
        "\"/nic/update?hostname=%h{}\"\n    ssl = {}\n"
        "    hostname = {{ \"{}\" }}\n}}\n",
        quoted::for_inadyn(sheet.login()), quoted::for_inadyn(sheet.secret()),
        quoted::for_inadyn(sheet.server), sheet.naming("&myip=%i"), sheet.tls ? "true" : "false",
        fmt::join(sheet.hosts, "\", \""));
}

/// For clients that may set an address: ddns-updater names one in each request.
void print_ddns_updater(std::ostream& out, const Sheet& sheet, const std::string& target) {
    heading(out, "qdm12/ddns-updater: data/config.json");
    out << fmt::format(
        "{{\"settings\": [{{\"provider\": \"custom\", \"domain\": \"{}\", \"url\": \"{}{}\", "
        "\"ipv4key\": \"myip\", \"ipv6key\": \"myipv6\", \"success_regex\": "
        "\"^(good|nochg)\"}}]}}\n",
        sheet.hosts.front(), sheet.url, target);
}

/// Programs and devices that take one URL with all parameters.
void print_whole_urls(std::ostream& out, const Sheet& sheet) {
    const std::string host = sheet.hosts.front();
    const std::string path = "/nic/update?hostname=";
    const std::string credential = fmt::format(
        "&username={}&password={}", url_encoded(sheet.login()), url_encoded(sheet.secret()));
    heading(out, "ddns-go: Callback, URL (without a request body)");
    out << fmt::format("{}{}#{{domain}}{}{}\n", sheet.url, path, sheet.naming("&myip=#{ip}"),
                       credential);
    if (sheet.may_set_address) print_ddns_updater(out, sheet, path + host + credential);
    heading(out, "DrayTek: Applications, Dynamic DNS, User-Defined");
    out << fmt::format("Provider Host: {}\nService API: {}{}{}{}\nServer Response: good\n",
                       sheet.server, path, host, sheet.naming("&myip=###IP###"), credential);
    heading(out, "MikroTik: the command of a scheduler");
    out << fmt::format("/tool fetch url=\"{}{}{}{}\" output=none\n", sheet.url, path, host,
                       credential);
    heading(out, "Home Assistant: configuration.yaml, and an automation that calls it");
    out << fmt::format("rest_command:\n  sftdyn:\n    url: \"{}{}{}{}\"\n", sheet.url, path, host,
                       credential);
}

/// Further routers.
void print_more_routers(std::ostream& out, const Sheet& sheet) {
    heading(out, "USG, EdgeRouter (they run ddclient: the server has no path)");
    out << fmt::format("Service: dyndns\nHostname: {}\nUsername: {}\nPassword: {}\nServer: {}\n",
                       sheet.hosts.front(), sheet.login(), sheet.secret(), sheet.server);
    heading(out, "Cisco IOS (Ctrl-V before the question mark; passwords of up to 15 characters)");
    out << fmt::format(
        "ip ddns update method sftdyn\n HTTP\n  add "
        "{}://{}:{}@{}/nic/update?hostname=<h>{}\n interval maximum 0 1 0 0\n",
        sheet.tls ? "https" : "http", url_encoded(sheet.login()), url_encoded(sheet.secret()),
        sheet.server, sheet.naming("&myip=<a>"));
    heading(out, "HPE and H3C Comware");
    out << fmt::format(
        "ddns policy sftdyn\n url {}/nic/update?hostname=<h>{}\n username {}\n password simple "
        "{}\n",
        sheet.url, sheet.naming("&myip=<a>"), sheet.login(), sheet.secret());
}

int client(const config::Overrides& overrides, const ClientOptions& options,
           const Console& console) {
    const config::Loaded loaded = server::load(overrides);
    for (const auto& diagnostic : loaded.diagnostics) console.err << diagnostic.text() << '\n';
    if (!loaded.diagnostics.empty()) return 1;
    if (options.list) {
        list(loaded.settings, console.out);
        return 0;
    }
    auto sheet = find(loaded.settings, options.name);
    if (!sheet) {
        console.err << fmt::format(
            "there is no client \"{}\"; name one by its table ([clients.NAME]), or by the host of "
            "its line; sftdyn client --list names all\n",
            options.name);
        return 1;
    }
    sheet->url = options.url.empty() ? guess_url(loaded.settings) : options.url;
    while (sheet->url.ends_with('/')) sheet->url.pop_back();
    sheet->instance = quoted::is_plain_name(options.name) ? options.name : "sftdyn";
    sheet->tls = sheet->url.starts_with("https://");
    const std::size_t scheme = sheet->url.find("://");
    sheet->server = scheme == std::string::npos ? sheet->url : sheet->url.substr(scheme + 3);
    for (const std::string& text : {sheet->url, sheet->login(), sheet->password}) {
        if (!quoted::has_control_characters(text)) continue;
        console.err << "the URL, the user or the password has a line break or another control "
                       "character in it, which no client can be given\n";
        return 1;
    }
    if (!options.show_secrets && !console.is_seen) {
        console.err << "secrets are shown at a terminal only, or with --show\n";
        if (sheet->key) sheet->key = "SECRET";
        sheet->password = "SECRET";
    }
    if (sheet->url.find("SERVER") != std::string::npos)
        console.err << "the server's name is not known here: write it for SERVER, or give --url "
                       "https://dyn.example.org\n";
    console.out << fmt::format("{}: {}\n", options.name, fmt::join(sheet->hosts, ", "));
    if (sheet->key) print_secret_url(console.out, *sheet);
    print_dyndns2(console.out, *sheet);
    print_whole_urls(console.out, *sheet);
    print_more_routers(console.out, *sheet);
    console.out << std::flush;
    return 0;
}

}  // namespace

void add_client(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "client",
        "Print what to enter for one client: URL, cron, systemd, routers, ddclient, inadyn");
    const auto options = std::make_shared<ClientOptions>();
    app.add_option("NAME", options->name,
                   "The client: NAME of its [clients.NAME], or the host of its line");
    add_conf(app, line.overrides);
    app.add_option("--url", options->url,
                   "Where clients reach this server, for example https://dyn.example.org:4443")
        ->check([](const std::string& url) { return fault_of_server_url(url); });
    app.add_flag("--list", options->list, "List the clients' names, without secrets");
    app.add_flag("--show", options->show_secrets,
                 "Show the secrets even if the output is no terminal");
    app.callback([&line, options] {
        if (options->list && !line.overrides->conf && !options->name.empty())
            line.overrides->conf = options->name;
        if (!options->list && options->name.empty()) throw CLI::RequiredError("NAME");
        line.run = [overrides = line.overrides, options](const Console& console) {
            return client(*overrides, *options, console);
        };
    });
}

}  // namespace sftdyn::commands
