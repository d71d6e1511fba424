// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/password.hpp"

#include <termios.h>
#include <unistd.h>

#include <istream>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

#include "accounts/passwords.hpp"
#include "base/secret.hpp"

namespace sftdyn::commands {
namespace {

/// Switches the terminal's echo off while it exists.
class NoEcho {
public:
    NoEcho() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (!is_terminal_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~NoEcho() {
        if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

private:
    termios before_{};
    bool is_terminal_;
};

base::Secret ask(const char* question, const Console& console) {
    const NoEcho no_echo;
    if (console.is_typed) console.err << question << std::flush;
    std::string line;
    std::getline(console.in, line);
    // The line may be from a Windows file. A line from a terminal never ends in a carriage return.
    if (line.ends_with('\r')) line.pop_back();
    if (console.is_typed) console.err << '\n';
    base::Secret out(line);
    base::zeroize(line);
    return out;
}

int hash_password(const Console& console) {
    const base::Secret password = ask("Password: ", console);
    if (password.empty()) {
        console.err << "there is no password: type one, or give it as a line on standard input\n";
        return 1;
    }
    if (console.is_typed && ask("Again: ", console).reveal() != password.reveal()) {
        console.err << "they are not the same\n";
        return 1;
    }
    const auto hash = accounts::hash_password(password.reveal());
    if (hash.has_error()) {
        console.err << hash.error().text() << '\n';
        return 1;
    }
    console.out << *hash << std::endl;
    return 0;
}

}  // namespace

void add_password(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "password", "Print the hash of a password, for password_hash in the configuration");
    app.callback(
        [&line] { line.run = [](const Console& console) { return hash_password(console); }; });
}

}  // namespace sftdyn::commands
