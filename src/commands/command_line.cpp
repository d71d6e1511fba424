#include "commands/command_line.hpp"

#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace sftdyn::commands {
namespace {

constexpr const char* about =
    "Dynamic DNS server: a request to a secret URL makes a hostname point to where the request "
    "came from.";

/// Whoever typed the value sees it again; of files nothing is quoted.
CLI::ValidationError invalid(const std::string& option, const std::string& value,
                             base::Error error) {
    error.where = fmt::format("\"{}\"", value.substr(0, 80));
    return CLI::ValidationError(option, error.text());
}

void add_listen(CLI::App& app, const char* option, const char* what,
                std::vector<config::Listen>& target) {
    app.add_option_function<std::vector<std::string>>(
           option,
           [&target](const std::vector<std::string>& values) {
               target.clear();
               for (const auto& value : values) {
                   const auto listen = config::parse_listen(value);
                   if (listen.has_error()) throw invalid("an option", value, listen.error());
                   target.push_back(*listen);
               }
           },
           fmt::format("Listen for {} there: PORT, IP4:PORT, [IP6]:PORT or unix:PATH; "
                       "several times for several. Wins over the file",
                       what))
        ->type_name("[ADDR:]PORT")
        ->allow_extra_args(false)
        ->take_all();
}

void add_log_flags(CLI::App& app, CommandLine& line) {
    app.add_flag_function(
        "-v,--verbose", [&line](std::int64_t count) { line.verbosity += static_cast<int>(count); },
        "Say more: -v every update, -vv every detail (the default says warnings and errors)");
    app.add_flag_function(
        "-q,--quiet", [&line](std::int64_t count) { line.verbosity -= static_cast<int>(count); },
        "Say less: -q errors only");
    app.add_flag("-d,--debug", line.debug,
                 "For developers: every detail, with thread and microseconds");
}

void add_server(CLI::App& app, CommandLine& line) {
    app.add_option_function<std::vector<std::string>>(
           "--server",
           [&line](const std::vector<std::string>& values) {
               for (const auto& value : values) {
                   const auto server = config::parse_server(value);
                   if (server.has_error()) throw invalid("--server", value, server.error());
                   line.servers.push_back(*server);
               }
           },
           "The DNS server to send updates to (default: 127.0.0.1, then ::1); several times for "
           "several. Wins over the file's [dns]")
        ->type_name("ADDR[:PORT]")
        ->allow_extra_args(false)
        ->take_all();
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv, const std::string& version) {
    Parsed parsed;
    CommandLine line;
    std::string conf, key_file, cert, key;

    CLI::App app(about, "sftdyn");
    app.set_version_flag("--version", "sftdyn " + version);
    app.add_option("CONF", conf,
                   "The configuration file (default: " + config::default_confs()[0] + ", else " +
                       config::default_confs()[1] + ")");
    add_listen(app, "-l,--http", "HTTP", line.http);
    add_listen(app, "-s,--https", "HTTPS", line.https);
    app.add_option("-c,--cert", cert, "The certificate with its chain, PEM. Wins over the file")
        ->type_name("FILE");
    app.add_option("-k,--key", key, "The certificate's private key, PEM. Wins over the file")
        ->type_name("FILE");
    app.add_option("--nskeyfile", key_file,
                   "The TSIG key for updates (default: BIND's session key). Wins over the file")
        ->type_name("FILE");
    add_server(app, line);
    add_log_flags(app, line);
    app.footer(
        "Commands have a --help of their own. A file called like a command is written ./check.");

    CLI::App* check = app.add_subcommand(
        "check",
        "Say everything that is wrong with a configuration file, and exit with 1 if anything is");
    check->add_option("CONF", conf, "The configuration file");
    check->add_option("--nskeyfile", key_file, "The TSIG key to check instead of the file's")
        ->type_name("FILE");

    CLI::App* convert =
        app.add_subcommand("convert", "Write the TOML file that says the same as a Python conf");
    convert->add_option("CONF", conf, "The Python conf");
    convert->add_option(
        "TOML", line.converted,
        "The file to write, which must not be there yet (default: standard output)");

    CLI::App* doctor = app.add_subcommand(
        "doctor", "Walk the whole way from the configuration to the DNS, and say what is wrong");
    doctor->add_option("CONF", conf, "The configuration file");
    doctor->add_option("--nskeyfile", key_file, "The TSIG key to try instead of the file's")
        ->type_name("FILE");
    doctor
        ->add_option("--host", line.host,
                     "The host to ask for (default: those of the configuration)")
        ->type_name("NAME");
    doctor
        ->add_option("--resolver", line.resolver,
                     "The resolver to ask as the world does (default: the system's)")
        ->type_name("IP4[:PORT]");
    doctor
        ->add_option("--named-conf", line.named_conf,
                     "The configuration of this machine's named (default: /etc/bind/named.conf)")
        ->type_name("FILE");
    doctor->add_flag("--json", line.json, "Print JSON, for scripts");
    add_server(*doctor, line);

    CLI::App* setup = app.add_subcommand(
        "setup", "Make the key, the zone and the configurations for a DNS server and sftdyn");
    setup->add_option("SERVER", line.setup_server, "bind, knot or powerdns")
        ->required()
        ->check(CLI::IsMember({"bind", "knot", "powerdns"}));
    setup
        ->add_option("ZONE", line.setup_zone,
                     "The zone that clients' hosts are in, for example dyn.example.org")
        ->required();
    setup
        ->add_option(
            "--write", line.setup_folder,
            "Write the files below this folder instead of printing them (/ for their places)")
        ->type_name("DIR");

    CLI::App* status = app.add_subcommand(
        "status", "Ask the running sftdyn which hosts it knows, and which have gone quiet");
    status->add_option("CONF", conf, "The configuration file, for the path of the control socket");
    status
        ->add_option(
            "--socket", line.control,
            "The control socket (default: as the configuration says, else /run/sftdyn/control)")
        ->type_name("PATH");
    status->add_flag("--json", line.json, "Print the JSON document as it is");
    status->add_flag("--watch", line.watch, "Again every two seconds, until Ctrl-C");

    CLI::App* demo = app.add_subcommand(
        "demo",
        "Try it: sftdyn with a private DNS server (Knot) on loopback, and one example host");
    add_listen(*demo, "-l,--http", "HTTP", line.http);
    demo->add_option("--dns-port", line.demo_dns_port, "The DNS server's port; 0: any free one")
        ->capture_default_str();
    add_log_flags(*demo, line);

    CLI::App* cert_command =
        app.add_subcommand("cert", "Make a private key and a self-signed certificate for HTTPS");
    cert_command
        ->add_option("HOSTNAME", line.cert_hosts,
                     "The names and addresses that clients reach this server by")
        ->required();
    cert_command->add_option("--days", line.cert_days, "How long it is valid")
        ->check(CLI::Range(1, 36500))
        ->capture_default_str();
    cert_command->add_option("--dir", line.cert_folder, "Where server.key and server.crt go")
        ->capture_default_str();

    CLI::App* password = app.add_subcommand(
        "password", "Print the hash of a password, for password_hash in the configuration");

    CLI::App* client = app.add_subcommand(
        "client",
        "Print what to enter for one client: URL, cron, systemd, routers, ddclient, inadyn");
    client
        ->add_option("NAME", line.client_name,
                     "The client: NAME of its [clients.NAME], or the host of its line")
        ->required();
    client->add_option("CONF", conf, "The configuration file");
    client->add_option("--url", line.client_url,
                       "Where clients reach this server, for example https://dyn.example.org:4443");
    client->add_flag("--show", line.show_secrets,
                     "Show the secrets even if the output is no terminal");

    try {
        app.parse(argc, const_cast<char**>(argv));
    } catch (const CLI::ParseError& error) {
        std::ostringstream out, err;
        parsed.status = app.exit(error, out, err) == 0 ? 0 : 2;
        parsed.text = out.str() + err.str();
        return parsed;
    }
    if (app.got_subcommand(check)) line.command = Command::check;
    if (app.got_subcommand(convert)) line.command = Command::convert;
    if (app.got_subcommand(doctor)) line.command = Command::doctor;
    if (app.got_subcommand(setup)) line.command = Command::setup;
    if (app.got_subcommand(status)) line.command = Command::status;
    if (app.got_subcommand(demo)) line.command = Command::demo;
    if (app.got_subcommand(cert_command)) line.command = Command::cert;
    if (app.got_subcommand(password)) line.command = Command::password;
    if (app.got_subcommand(client)) line.command = Command::client;
    if (!conf.empty()) line.conf = conf;
    if (!key_file.empty()) line.key_file = key_file;
    if (!cert.empty()) line.cert = cert;
    if (!key.empty()) line.key = key;
    parsed.line = line;
    return parsed;
}

}  // namespace sftdyn::commands
