// SPDX-License-Identifier: GPL-3.0-or-later
// A running sftdyn's control socket, as far as a command sees it.
#pragma once

#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

namespace sftdyn::commands {

/// Tells the first who asks a text, and hangs up. Someone must ask.
class UnixServer {
public:
    UnixServer(const std::string& path, std::string text)
        : acceptor_(io_, path), thread_([this, text = std::move(text)] {
              auto client = acceptor_.accept();
              boost::asio::write(client, boost::asio::buffer(text));
          }) {}
    ~UnixServer() { thread_.join(); }
    UnixServer(const UnixServer&) = delete;
    UnixServer& operator=(const UnixServer&) = delete;

private:
    boost::asio::io_context io_{};
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::thread thread_;
};

}  // namespace sftdyn::commands
