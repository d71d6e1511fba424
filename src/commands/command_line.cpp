// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_line.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/word_distance.hpp"
#include "commands/cert.hpp"
#include "commands/check.hpp"
#include "commands/client.hpp"
#include "commands/convert.hpp"
#include "commands/demo.hpp"
#include "commands/doctor/doctor.hpp"
#include "commands/forget.hpp"
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
constexpr void (*commands[])(CommandLine&) = {add_check,    add_convert, add_doctor, add_setup,
                                              add_status,   add_forget,  add_demo,   add_cert,
                                              add_password, add_client};

/// The message for an unknown command: suggests a similar one, and lists all.
std::string unknown_command(const CLI::App& app, const std::string& word) {
    std::string text = fmt::format("there is no command and no file \"{}\"", word.substr(0, 80));
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    const auto near = std::find_if(names.begin(), names.end(), [&word](const std::string& name) {
        return base::is_near(word, name);
    });
    if (near != names.end()) text += fmt::format("; did you mean {}?", *near);
    return text + fmt::format(
                      "\nCommands: {}. `sftdyn help` describes them; a "
                      "configuration is named by its file.\n",
                      fmt::join(names, ", "));
}

/// Whether the word in place of the configuration file is probably a mistyped command: no such file
/// exists, and it has neither dot nor slash, as most file names have.
bool is_mistyped_command(const std::string& word) {
    const bool is_plain = std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
    std::error_code error;
    return is_plain && !std::filesystem::exists(word, error);
}

/// Adds the `help` command. `help COMMAND` with a known command is handled by
/// `is_help_of_a_command`.
CLI::App& add_help(CLI::App& app, std::string& about_command) {
    CLI::App& help = *app.add_subcommand("help", "Print this help, or that of a command");
    help.add_option("COMMAND", about_command, "The command to describe");
    help.callback([&app, &about_command] {
        const auto named = app.get_subcommands(
            [&about_command](const CLI::App* one) { return one->get_name() == about_command; });
        if (!about_command.empty() && named.empty())
            throw CLI::ValidationError(unknown_command(app, about_command));
    });
    return help;
}

/// Whether the line is `sftdyn help COMMAND`. CLI11 would run COMMAND.
bool is_help_of_a_command(const CLI::App& app, int argc, const char* const* argv) {
    return argc == 3 && std::string_view(argv[1]) == "help" &&
           !app.get_subcommands([argv](const CLI::App* one) { return one->get_name() == argv[2]; })
                .empty();
}

/// Completes an abbreviated long option if it is unambiguous, as getopt_long(3) does.
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

/// The words for CLI11, in reverse order. Abbreviated options are completed, except behind a
/// command.
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
    std::string about_command;
    const CLI::App& help = add_help(app, about_command);
    app.footer(
        "Commands have a --help of their own. A file called like a command is written ./check.");
    if (is_help_of_a_command(app, argc, argv)) {
        const char* const words[] = {argv[0], argv[2], "--help"};
        return parse_command_line(3, words, version);
    }
    try {
        app.parse(words_of(std::as_const(app), argc, argv));
    } catch (const CLI::ParseError& error) {
        std::ostringstream out, err;
        parsed.status = app.exit(error, out, err) == 0 ? 0 : 2;
        parsed.text = out.str() + err.str();
        return parsed;
    }
    if (help.parsed()) {
        const char* const words[] = {argv[0], "--help"};
        return parse_command_line(2, words, version);
    }
    const auto asked = app.get_subcommands();
    const std::string word = asked.empty() ? line.overrides->conf.value_or("") : std::string();
    if (!word.empty() && is_mistyped_command(word)) {
        parsed.status = 2;
        parsed.text = unknown_command(app, word);
        return parsed;
    }
    parsed.command = asked.empty() ? std::string() : asked.front()->get_name();
    parsed.overrides = line.overrides;
    parsed.run = line.run ? line.run : [overrides = line.overrides](const Console& console) {
        return serve(*overrides, console);
    };
    return parsed;
}

}  // namespace sftdyn::commands
