// SPDX-License-Identifier: GPL-3.0-or-later
// The control socket: whoever may connect to it reads one JSON document that says how things are,
// or has a line carried out, and reads the answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"

namespace sftdyn::server {

/// Serves the document to each connection: prepared on the thread of `io`, written on a thread of
/// its own, so that a slow reader keeps nobody waiting. Owned by `Admin`; it goes once `io` has
/// stopped, and the socket's file with it.
class ControlSocket {
public:
    /// Writes the document in parts, on a thread of the socket's own.
    using Part = std::function<void(const std::string&)>;
    using Document = std::function<void(const Part&)>;
    /// Calls back with what makes the document, on the thread of `io`.
    using Prepare = std::function<void(std::function<void(Document)>)>;
    /// Carries out a line that a client sent, without its end, and returns the answer; on the
    /// thread of `io`. The line is anybody's text.
    using CarryOut = std::function<std::string(const std::string& line)>;

    ControlSocket(boost::asio::io_context& io, Prepare prepare, CarryOut carry_out)
        : io_(io),
          acceptor_(io),
          prepare_(std::move(prepare)),
          carry_out_(std::move(carry_out)),
          timer_(io) {}
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    /// Its owner and group may connect. A socket that nobody listens on is replaced.
    [[nodiscard]] base::Result<void> listen(const std::string& path);
    /// To be called when threads may be made. Where there is none for it, that is said in the log,
    /// and nobody is served: the socket's file goes.
    void start();

private:
    using Protocol = boost::asio::local::stream_protocol;
    void accept();
    /// Out of descriptors, those that are there are served first.
    void pause();
    struct Asked;
    /// A line, or nothing: then it is the document that is asked for.
    void read(const std::shared_ptr<Protocol::socket>& socket);
    void on_read(const std::shared_ptr<Protocol::socket>& socket, const std::string& line);
    void answer(const std::shared_ptr<Protocol::socket>& socket, Document document);
    void close(const std::shared_ptr<Protocol::socket>& socket);

    boost::asio::io_context& io_;
    Protocol::acceptor acceptor_;
    Prepare prepare_;
    CarryOut carry_out_;
    std::string path_;
    std::set<std::shared_ptr<Protocol::socket>> open_{};  ///< connections; on the thread of `io`
    boost::asio::steady_timer timer_;
    boost::asio::io_context writing_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        writing_.get_executor()};
    std::optional<std::thread> writer_{};  ///< runs what is in `writing_`
};

}  // namespace sftdyn::server
