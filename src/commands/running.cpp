// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/running.hpp"

#include <unistd.h>

#include <array>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "config/load.hpp"
#include "config/toml_reader.hpp"

namespace sftdyn::commands {

void add_control(CLI::App& app, const OverridesPtr& overrides, std::string& socket) {
    add_conf(app, overrides, "The configuration file, for the path of the control socket");
    app.add_option("--socket", socket,
                   "The control socket (default: as the configuration says, else "
                   "/run/sftdyn/control)")
        ->type_name("PATH");
}

std::string control_path(const config::Overrides& overrides, const std::string& socket,
                         const Console& console) {
    if (!socket.empty()) return socket;
    const std::string conf = overrides.conf.value_or(config::default_confs().front());
    if (!conf.ends_with(".toml")) return usual_socket;
    config::Settings settings;
    const auto diagnostics = config::read_toml_file(conf, settings);
    // In spite of errors, the control socket may be known. The default file may be missing or
    // unreadable: that is not an error.
    if (overrides.conf || ::access(conf.c_str(), R_OK) == 0) {
        for (const auto& diagnostic : diagnostics) console.err << diagnostic.text() << '\n';
    }
    return settings.admin.control.value_or(usual_socket);
}

base::Result<std::string> ask_control(const std::string& path, const std::string& line) {
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket socket(io);
    boost::system::error_code error;
    socket.connect(path, error);
    if (error) {
        return base::Error{fmt::format("the running sftdyn can't be asked: {}", error.message()),
                           path,
                           "is it running, with [admin] control (systemd's unit has it), and are "
                           "you root or in its group?"};
    }
    if (!line.empty()) boost::asio::write(socket, boost::asio::buffer(line + "\n"), error);
    if (!error) socket.shutdown(socket.shutdown_send, error);
    std::string out;
    std::array<char, 65536> part{};
    while (!error) {
        const std::size_t size = socket.read_some(boost::asio::buffer(part), error);
        out.append(part.data(), size);
    }
    if (error != boost::asio::error::eof)
        return base::Error{fmt::format("its answer broke off: {}", error.message()), path,
                           "try again"};
    return base::Result<std::string>(boost::system::in_place_value, std::move(out));
}

}  // namespace sftdyn::commands
