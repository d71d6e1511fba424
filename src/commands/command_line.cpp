// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_line.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "commands/cert.hpp"
#include "commands/check.hpp"
#include "commands/client.hpp"
#include "commands/convert.hpp"
#include "commands/demo.hpp"
#include "commands/doctor/doctor.hpp"
#include "commands/password.hpp"
#include "commands/serve.hpp"
#include "commands/setup.hpp"
#include "commands/status.hpp"

namespace sftdyn::commands {
namespace {

constexpr const char* about =
    "Dynamic DNS server: a request to a secret URL makes a hostname point to where the request "
    "came from.";

// In the order of the help.
constexpr void (*commands[])(CommandLine&) = {add_check, add_convert,  add_doctor,
                                              add_setup, add_status,   add_demo,
                                              add_cert,  add_password, add_client};

/// A long option may be shortened as far as it is one's alone, as getopt_long(3) allows.
std::string complete_option(const CLI::App& app, std::string word) {
    const std::string name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || name.size() < 3) return word;
    std::set<std::string> found;
    for (const auto* option : app.get_options()) {
        for (const auto& known : option->get_lnames()) {
            if ("--" + known == name) return word;
            if (("--" + known).starts_with(name)) found.insert("--" + known);
        }
    }
    return found.size() == 1 ? *found.begin() + word.substr(name.size()) : word;
}

/// The words for CLI11, the last one first; those of a command are left as they are.
std::vector<std::string> words_of(const CLI::App& app, int argc, const char* const* argv) {
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    for (auto& word : words) {
        const auto is_asked = [&word](const CLI::App* command) {
            return command->get_name() == word;
        };
        if (word == "--" || !app.get_subcommands(is_asked).empty()) break;
        word = complete_option(app, word);
    }
    std::reverse(words.begin(), words.end());
    return words;
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv, const std::string& version) {
    Parsed parsed;
    CLI::App app(about, "sftdyn");
    app.set_version_flag("--version", "sftdyn " + version);
    CommandLine line{app, std::make_shared<config::Overrides>(), {}};
    add_serve(line);
    for (const auto add : commands) add(line);
    app.footer(
        "Commands have a --help of their own. A file called like a command is written ./check.");
    try {
        app.parse(words_of(std::as_const(app), argc, argv));
    } catch (const CLI::ParseError& error) {
        std::ostringstream out, err;
        parsed.status = app.exit(error, out, err) == 0 ? 0 : 2;
        parsed.text = out.str() + err.str();
        return parsed;
    }
    const auto asked = app.get_subcommands();
    parsed.command = asked.empty() ? std::string() : asked.front()->get_name();
    parsed.overrides = line.overrides;
    parsed.run = line.run ? line.run : [overrides = line.overrides](const Console& console) {
        return serve(*overrides, console);
    };
    return parsed;
}

}  // namespace sftdyn::commands
