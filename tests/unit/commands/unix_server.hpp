// SPDX-License-Identifier: GPL-3.0-or-later
// A running sftdyn's control socket, as far as a command sees it.
#pragma once

#include <future>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace sftdyn::commands {

/// Tells the first who asks a text, and hangs up. Someone must ask.
class UnixServer {
public:
    enum class Reads { nothing, a_line };
    UnixServer(const std::string& path, std::string text, Reads reads = Reads::nothing)
        : acceptor_(io_, path), thread_([this, text = std::move(text), reads] {
              auto client = acceptor_.accept();
              if (reads == Reads::a_line)
                  line_.resize(
                      boost::asio::read_until(client, boost::asio::dynamic_buffer(line_), '\n') -
                      1);
              has_read_.set_value();
              boost::asio::write(client, boost::asio::buffer(text));
          }) {}
    ~UnixServer() { thread_.join(); }
    UnixServer(const UnixServer&) = delete;
    UnixServer& operator=(const UnixServer&) = delete;

    /// What it was asked; waits for it.
    [[nodiscard]] std::string line() const {
        read_.wait();
        return line_;
    }

private:
    std::string line_{};
    std::promise<void> has_read_{};
    std::shared_future<void> read_{has_read_.get_future()};
    boost::asio::io_context io_{};
    boost::asio::local::stream_protocol::acceptor acceptor_;
    std::thread thread_;
};

}  // namespace sftdyn::commands
