// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/setup.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <istream>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/address_rules.hpp"
#include "base/exclusive_file.hpp"
#include "base/system_user.hpp"
#include "commands/setup_plan.hpp"
#include "commands/this_machine.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;
namespace ip = boost::asio::ip;

constexpr const char* write_elsewhere = "choose another folder with --write";

/// The options, from the command line or typed; empty: not given.
struct SetupOptions {
    std::string server{};
    std::string zone{};
    std::string name_server{};
    std::vector<std::string> addresses{};
    std::string folder{};  ///< where to write; empty: print
};

void print_steps(const SetupPlan& plan, const Console& console) {
    console.out << "# then:\n";
    for (const auto& step : plan.steps) {
        std::string lines = step;
        for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; at += 5)
            lines.replace(at, 1, "\n#   ");
        console.out << "#   " << lines << '\n';
    }
}

void print(const SetupPlan& plan, const Console& console) {
    for (const auto& file : plan.files) {
        console.out << fmt::format("# {}   (mode {:o}, {}:{})\n\n{}\n", file.path,
                                   static_cast<unsigned>(file.mode), file.user, file.group,
                                   file.text);
    }
    print_steps(plan, console);
}

/// The owner that root gives the file to. Nothing: this user is not root, or there is no such
/// account.
std::optional<base::FileOwner> owner_of(const SetupFile& file) {
    const auto user = base::find_user(file.user);
    const auto group = base::find_group(file.group);
    if (geteuid() != 0 || !user || !group) return std::nullopt;
    return base::FileOwner{user->uid, group->gid};
}

/// Writes all files or none.
base::Result<void> write(const SetupPlan& plan, const Console& console) {
    for (const auto& file : plan.files) {
        if (is_there(file.path))
            return base::Error{
                "already exists", file.path,
                std::string("nothing was written; move it away, or ") + write_elsewhere};
    }
    std::vector<base::NewFile> made;
    for (const auto& file : plan.files) {
        auto one = base::NewFile::make({file.path, file.text, file.mode, owner_of(file), true},
                                       write_elsewhere);
        if (one.has_error()) return one.error();
        made.push_back(std::move(*one));
    }
    for (auto file = made.begin(); file != made.end(); ++file) {
        auto published = file->publish();
        if (!published.has_error()) continue;
        std::for_each(made.begin(), file, [](base::NewFile& before) { before.withdraw(); });
        return published;
    }
    console.out << "# made:\n";
    for (const auto& file : plan.files) console.out << "#   " << file.path << '\n';
    for (const auto& file : plan.files) {
        if (!owner_of(file))
            console.out << fmt::format("chown {}:{} {}\n", file.user, file.group, file.path);
    }
    print_steps(plan, console);
    return {};
}

/// Parses the zone. A slash, as in some reverse zones, is an error: the name becomes a file name.
base::Result<dns::Name> parse_zone_of(const std::string& text) {
    return text.starts_with("*.") ? config::parse_zone(text) : dns::Name::parse_host(text);
}

/// The name that the parent zone delegates to: the option, else this machine's public name, else
/// `ns` in the zone.
base::Result<dns::Name> name_server_of(const SetupOptions& options, const dns::Name& zone) {
    if (options.name_server.starts_with("*"))
        return base::Error{"is not the name of a server", options.name_server, "it is a wildcard"};
    if (!options.name_server.empty()) return dns::Name::parse_host(options.name_server);
    if (const auto own = public_host_name()) {
        if (auto name = dns::Name::parse_host(*own); !name.has_error()) return name;
    }
    if (zone.is_within(dns::Name::parse("arpa").value()))
        return base::Error{"the name of this DNS server is not known", "",
                           "say it: --ns ns.example.org"};
    return dns::Name::parse_host("ns." + zone.text());
}

base::Result<std::vector<ip::address>> addresses_of(const SetupOptions& options) {
    if (options.addresses.empty()) return own_addresses();
    std::vector<ip::address> all;
    for (const auto& text : options.addresses) {
        boost::system::error_code error;
        const auto address = ip::make_address(text, error);
        if (error || base::is_nobodys(address))
            return base::Error{"is not an address that a DNS server can have", text,
                               "--address takes an IPv4 or an IPv6 address"};
        all.push_back(address);
    }
    return all;
}

/// Prints a note for addresses that the Internet can't reach. That is no error in a trial or a
/// home network.
void warn_of_addresses(const std::vector<ip::address>& addresses, const Console& console) {
    for (const auto& address : addresses) {
        if (base::scope_of(address) == base::AddressScope::global) continue;
        console.out << fmt::format(
            "# note: the zone says that this DNS server is {}, which only machines {} reach; for "
            "the "
            "world: --address ADDRESS\n",
            address.to_string(),
            address.is_loopback() ? "like this one itself" : "in the same network");
    }
}

base::Result<SetupRequest> request_of(const SetupOptions& options) {
    SetupRequest request;
    request.server = options.server;
    auto zone = parse_zone_of(options.zone);
    if (zone.has_error()) return zone.error();
    request.zone = *zone;
    auto name_server = name_server_of(options, request.zone);
    if (name_server.has_error()) return name_server.error();
    request.name_server = *name_server;
    auto addresses = addresses_of(options);
    if (addresses.has_error()) return addresses.error();
    request.addresses = std::move(*addresses);
    // Servers do not load a zone whose name server is in the zone and has no address.
    if (request.addresses.empty() && request.name_server.is_within(request.zone))
        request.addresses.push_back(ip::address_v4::loopback());
    const std::string folder = options.folder.empty()
                                   ? std::string()
                                   : fs::absolute(options.folder).lexically_normal().string();
    request.folder = folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder;
    return request;
}

int setup(const SetupOptions& options, const Console& console) {
    const auto fail = [&console](const base::Error& error) {
        console.err << error.text() << '\n';
        return 1;
    };
    const auto request = request_of(options);
    if (request.has_error()) return fail(request.error());
    const auto plan = plan_setup(*request);
    if (plan.has_error()) return fail(plan.error());
    if (options.folder.empty()) {
        print(*plan, console);
    } else if (const auto written = write(*plan, console); written.has_error()) {
        return fail(written.error());
    }
    warn_of_addresses(request->addresses, console);
    console.out << std::flush;
    return 0;
}

/// Asks questions. An empty answer accepts the proposal in brackets.
class Questions {
public:
    explicit Questions(const Console& console) : console_(console) {}

    std::string ask(const std::string& question, const std::string& proposal) {
        console_.out << question;
        if (!proposal.empty()) console_.out << " [" << proposal << "]";
        console_.out << ": " << std::flush;
        std::string answer;
        if (!std::getline(console_.in, answer)) ended_ = true;
        const auto first = answer.find_first_not_of(" \t\r");
        if (first == std::string::npos) return proposal;
        return answer.substr(first, answer.find_last_not_of(" \t\r") - first + 1);
    }
    /// Whether the input has ended.
    [[nodiscard]] bool ended() const { return ended_; }

private:
    const Console& console_;
    bool ended_ = false;
};

const std::vector<std::string>& server_kinds() {
    static const std::vector<std::string> all = {"bind", "knot", "powerdns"};
    return all;
}

/// Asks for the options that are missing. Nothing: the input ended before the last answer.
std::optional<SetupOptions> ask(SetupOptions options, const Console& console) {
    Questions questions(console);
    if (options.server.empty()) {
        const auto here = dns_server_here();
        do {
            options.server = questions.ask("the DNS server: bind, knot or powerdns",
                                           here.value_or(std::string()));
        } while (std::ranges::find(server_kinds(), options.server) == server_kinds().end() &&
                 !questions.ended());
    }
    while (options.zone.empty() && !questions.ended()) {
        options.zone = questions.ask("the zone for the hosts, for example dyn.example.org", "");
        if (const auto zone = parse_zone_of(options.zone); zone.has_error()) {
            console.out << zone.error().text() << '\n';
            options.zone.clear();
        }
    }
    if (questions.ended()) return std::nullopt;
    const auto proposed = request_of(options);
    if (options.name_server.empty())
        options.name_server =
            questions.ask("the DNS server's name, to which the zone above will delegate",
                          proposed.has_error() ? "" : proposed->name_server.text());
    if (options.addresses.empty()) {
        std::vector<std::string> texts;
        if (!proposed.has_error()) {
            for (const auto& address : proposed->addresses) texts.push_back(address.to_string());
        }
        const std::string answer = questions.ask("its addresses, as the world reaches it",
                                                 fmt::format("{}", fmt::join(texts, " ")));
        options.addresses = CLI::detail::split(answer, ' ');
        std::erase(options.addresses, "");
    }
    if (options.folder.empty()) {
        const std::string answer =
            questions.ask("write the files to their places, which takes root? yes or no", "no");
        if (answer == "yes" || answer == "y") options.folder = "/";
    }
    return questions.ended() ? std::nullopt : std::optional(options);
}

int setup_or_ask(const SetupOptions& options, const Console& console) {
    if (!options.server.empty() && !options.zone.empty()) return setup(options, console);
    if (!console.is_typed) {
        console.err
            << "SERVER and ZONE are needed: for example, sftdyn setup bind dyn.example.org\n";
        return 2;
    }
    const auto asked = ask(options, console);
    if (!asked) {
        console.err << "nothing was created: the input ended\n";
        return 1;
    }
    return setup(*asked, console);
}

}  // namespace

void add_setup(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "setup", "Make the key, the zone and the configurations for a DNS server and sftdyn");
    const auto options = std::make_shared<SetupOptions>();
    app.add_option("SERVER", options->server,
                   "bind, knot or powerdns. At a terminal, what is not said is asked for")
        ->check(CLI::IsMember(server_kinds()));
    app.add_option("ZONE", options->zone,
                   "The zone that clients' hosts are in, for example dyn.example.org");
    app.add_option("--ns", options->name_server,
                   "The DNS server's name, to which the zone above delegates (default: this "
                   "machine's full name, else ns.ZONE)")
        ->type_name("NAME");
    app.add_option(
           "--address", options->addresses,
           "The DNS server's address, as the world reaches it; may be given again (default: "
           "this machine's)")
        ->type_name("ADDRESS");
    app.add_option("--write", options->folder,
                   "Write the files below this folder instead of printing them (/ for their "
                   "places)")
        ->type_name("DIR");
    app.callback([&line, options] {
        line.run = [options](const Console& console) { return setup_or_ask(*options, console); };
    });
}

}  // namespace sftdyn::commands
