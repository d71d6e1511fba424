// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/status.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <ostream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/result.hpp"
#include "commands/running.hpp"

namespace sftdyn::commands {
namespace {

namespace json = boost::json;

constexpr auto redraw_interval = std::chrono::seconds(2);
constexpr std::size_t most_named = 20;  // hosts that never checked in; further ones are not listed

struct StatusOptions {
    std::string socket{};
    bool json = false;   ///< print the JSON document
    bool watch = false;  ///< repeat until Ctrl-C
};

/// A rounded duration: "3 min".
std::string span(std::int64_t seconds) {
    if (seconds < 0) seconds = 0;
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 7200) return fmt::format("{} min", seconds / 60);
    if (seconds < 2 * 86400) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} days", seconds / 86400);
}

std::int64_t number(const json::value& value) { return value.is_int64() ? value.as_int64() : 0; }

/// "1 client", "2 clients".
std::string counted(std::int64_t count, const char* noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string ago(const json::value& time, std::int64_t now) {
    return number(time) == 0 ? std::string("never") : span(now - number(time)) + " ago";
}

/// The text without terminal control sequences: the document is not trusted.
std::string text(const json::value& value) {
    return value.is_string() ? base::log::terminal_safe(value.as_string()) : "-";
}

void print_hosts(const json::object& status, std::int64_t now, std::ostream& out) {
    std::vector<const json::object*> hosts;
    for (const auto& host : status.at("hosts").as_array()) hosts.push_back(&host.as_object());
    std::sort(hosts.begin(), hosts.end(), [](const json::object* a, const json::object* b) {
        return number(a->at("checked_in")) < number(b->at("checked_in"));
    });
    std::size_t width = 4;
    for (const auto* host : hosts) width = std::max(width, text(host->at("host")).size());
    if (!hosts.empty())
        out << fmt::format("\n{:<{}}  {:<4}  {:<39}  {:>14}  {:>14}  {}\n", "host", width, "type",
                           "address", "last check-in", "last change", "outcome");
    for (const auto* host : hosts) {
        out << fmt::format("{:<{}}  {:<4}  {:<39}  {:>14}  {:>14}  {}{}\n", text(host->at("host")),
                           width, text(host->at("type")), text(host->at("address")),
                           ago(host->at("checked_in"), now), ago(host->at("changed"), now),
                           text(host->at("outcome")), host->at("stale").as_bool() ? "  stale" : "");
    }
    const auto& never = status.at("never").as_array();
    if (never.empty()) return;
    out << fmt::format("\n{} host{} never checked in:", never.size(), never.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(never.size(), most_named); ++i)
        out << ' ' << text(never[i]);
    out << (never.size() > most_named ? " …\n" : "\n");
}

void print(const json::object& status, std::ostream& out) {
    const std::int64_t now = number(status.at("now"));
    out << fmt::format("sftdyn {}, process {}, running for {}, {} ({})\n",
                       text(status.at("version")), number(status.at("process")),
                       span(now - number(status.at("since"))),
                       counted(number(status.at("clients")), "client"), text(status.at("conf")));
    const std::int64_t waiting = number(status.at("waiting"));
    out << fmt::format("{}, {} wait{} for the DNS server\n",
                       counted(number(status.at("connections")), "connection"),
                       counted(waiting, "request"), waiting == 1 ? "s" : "");
    for (const auto& one : status.at("servers").as_array()) {
        const auto& server = one.as_object();
        out << fmt::format(
            "DNS server {}{}: {}\n", text(server.at("address")),
            server.contains("zone") ? fmt::format(" ({})", text(server.at("zone"))) : std::string(),
            text(server.at("state")));
    }
    if (const auto* in_doubt = status.if_contains("in_doubt")) {
        for (const auto& zone : in_doubt->as_array())
            out << fmt::format(
                "zone {}: an UPDATE has been unanswered for {}, and nothing is sent that could "
                "overtake it\n",
                text(zone.at("zone")), span(number(zone.at("seconds"))));
    }
    if (const auto* warnings = status.if_contains("warnings")) {
        for (const auto& one : warnings->as_array())
            out << fmt::format("warning: {}\n         -> {}\n", text(one.at("what")),
                               text(one.at("mend")));
    }
    print_hosts(status, now, out);
}

/// Formats the document for people. An error when this version does not understand it.
base::Result<std::string> in_words(const std::string& document, const std::string& path) {
    constexpr const char* remedy = "is it an sftdyn of this version?";
    boost::system::error_code error;
    const json::value status = json::parse(document, error);
    if (error)
        return base::Error{fmt::format("its answer is not JSON: {}", error.message()), path,
                           remedy};
    std::ostringstream out;
    try {
        print(status.as_object(), out);
    } catch (const std::exception&) {
        // A part is missing or has another type.
        return base::Error{"its answer is not a status that this version knows", path, remedy};
    }
    return base::Result<std::string>(boost::system::in_place_value, out.str());
}

int status(const config::Overrides& overrides, const StatusOptions& options,
           const Console& console) {
    const std::string path = control_path(overrides, options.socket, console);
    for (;;) {
        const auto answer = ask_control(path);
        if (answer.has_error()) {
            console.err << answer.error().text() << '\n';
            return 1;
        }
        if (options.watch && !options.json) console.out << "\x1b[H\x1b[2J";
        if (options.json) {
            console.out << *answer;
        } else {
            const auto text = in_words(*answer, path);
            if (text.has_error()) {
                console.err << text.error().text() << '\n';
                return 1;
            }
            console.out << *text;
        }
        console.out << std::flush;
        if (!options.watch) return 0;
        std::this_thread::sleep_for(redraw_interval);
    }
}

}  // namespace

void add_status(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "status", "Ask the running sftdyn which hosts it knows, and which are stale");
    const auto options = std::make_shared<StatusOptions>();
    add_control(app, line.overrides, options->socket);
    app.add_flag("--json", options->json, "Print the JSON document as it is");
    app.add_flag("--watch", options->watch, "Again every two seconds, until Ctrl-C");
    app.callback([&line, options] {
        line.run = [overrides = line.overrides, options](const Console& console) {
            return status(*overrides, *options, console);
        };
    });
}

}  // namespace sftdyn::commands
