// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/convert.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/descriptor.hpp"
#include "base/exclusive_file.hpp"
#include "commands/common_options.hpp"
#include "commands/conversion.hpp"
#include "config/toml_reader.hpp"
#include "python/load.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {
namespace {

constexpr auto hook_time_of_convert = std::chrono::seconds(60);

base::Result<Conversion> convert_where_hooks_run(
    const std::shared_ptr<const config::Loaded>& loaded) {
    const auto conversion = std::make_shared<Conversion>();
    const bool returned = loaded->hook_threads->call(
        [loaded, conversion](const python::Conf&) { *conversion = convert(*loaded); },
        hook_time_of_convert);
    if (returned) return std::move(*conversion);
    return base::Error{"its hooks do not return", loaded->conf,
                       "let none of them wait for something for long, then try again"};
}

int give(const std::string& toml, const std::string& file, const Console& console) {
    if (file.empty()) {
        console.out << toml << std::flush;
        return 0;
    }
    const auto made = base::create_file(file, toml, 0600, "name another file");
    if (made.has_error()) console.err << made.error().text() << '\n';
    return made.has_error() ? 1 : 0;
}

/// Redirects standard output to standard error, until it is destroyed or restored: the output of
/// the conf's code must not mix with the TOML.
class StandardOutputToError {
public:
    StandardOutputToError() : output_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
        std::cout.flush();
        if (output_) dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    ~StandardOutputToError() { restore(); }
    StandardOutputToError(const StandardOutputToError&) = delete;
    StandardOutputToError& operator=(const StandardOutputToError&) = delete;

    void restore() const {
        std::cout.flush();
        std::fflush(stdout);  // of a log that was not started
        if (output_) dup2(output_.get(), STDOUT_FILENO);
    }

private:
    const base::Descriptor output_;
};

/// Writes the TOML to `file`, or to standard output if it is empty. Returns the exit status.
int convert_to(const config::Overrides& overrides, const std::string& file,
               const Console& console) {
    const StandardOutputToError of_conf;
    const auto loaded = std::make_shared<const config::Loaded>(server::load(overrides));
    for (const auto& diagnostic : loaded->diagnostics) console.err << diagnostic.text() << '\n';
    if (!loaded->diagnostics.empty()) return 1;
    if (!loaded->python) {
        console.err << fmt::format("{}: this is TOML already\n", loaded->conf);
        return 1;
    }
    const auto tried = convert_where_hooks_run(loaded);
    if (tried.has_error()) {
        console.err << tried.error().text() << '\n';
        return 1;
    }
    const Conversion& converted = *tried;
    config::Settings read_again;
    for (const auto& diagnostic :
         config::read_toml(converted.toml, file.empty() ? "the TOML file" : file, read_again)) {
        console.err << "unexpected: " << diagnostic.text() << '\n';
        return 1;
    }
    of_conf.restore();
    if (give(converted.toml, file, console) != 0) return 1;
    for (const auto& lost : converted.lost)
        console.err << fmt::format("{}: not carried over: {}\n", loaded->conf, lost);
    return converted.lost.empty() ? 0 : 1;
}

}  // namespace

void add_convert(CommandLine& line) {
    CLI::App& app =
        *line.app.add_subcommand("convert", "Convert a Python conf to an equivalent TOML file");
    const auto file = std::make_shared<std::string>();
    add_conf(app, line.overrides, "The Python conf");
    app.add_option("TOML", *file,
                   "The file to write, which must not be there yet (default: standard output)");
    app.callback([&line, file] {
        line.run = [overrides = line.overrides, file](const Console& console) {
            return convert_to(*overrides, *file, console);
        };
    });
}

}  // namespace sftdyn::commands
