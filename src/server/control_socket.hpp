// SPDX-License-Identifier: GPL-3.0-or-later
// The control socket. A client reads the status as one JSON document, or sends a command line and
// reads the answer.
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

/// The document is prepared on the thread of `io`, and written on the socket's own thread, so that
/// a slow reader does not block anything else. Owned by `Admin`; destroyed after `io` has stopped,
/// which removes the socket's file.
class ControlSocket {
public:
    /// Writes the document in parts, on the socket's own thread.
    using Part = std::function<void(const std::string&)>;
    using Document = std::function<void(const Part&)>;
    /// Calls back with the function that writes the document, on the thread of `io`.
    using Prepare = std::function<void(std::function<void(Document)>)>;
    /// Carries out a client's command line and returns the answer, on the thread of `io`. The line
    /// comes without its line end, and is untrusted.
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

    /// Creates the socket, which its owner and group may connect to. Replaces a socket that no
    /// process listens on.
    [[nodiscard]] base::Result<void> listen(const std::string& path);
    /// To be called when threads may be created. If the thread can't be created, logs it and
    /// removes the socket's file.
    void start();

private:
    using Protocol = boost::asio::local::stream_protocol;
    void accept();
    /// Stops accepting for a while when descriptors run out, so that open connections are served
    /// first.
    void pause();
    struct Asked;
    /// Reads a command line. Without one, the client gets the document.
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
    std::optional<std::thread> writer_{};  ///< runs `writing_`
};

}  // namespace sftdyn::server
