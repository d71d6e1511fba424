// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/control_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>

#include "base/log.hpp"
#include "base/thread.hpp"

namespace sftdyn::server {
namespace {

using boost::system::error_code;

constexpr unsigned most_open = 8;
constexpr timeval write_time{5, 0};  // the timeout of writing a part
constexpr std::size_t part_size = 64 * 1024;
// A command line is a word and a host name.
constexpr std::size_t longest_line = 512;
// A client that sends nothing, and does not shut down its side, gets the document after this time.
constexpr auto line_time = std::chrono::milliseconds(500);
constexpr auto accept_pause = std::chrono::milliseconds(100);

/// Whether a process listens on the socket at the path.
bool is_served(boost::asio::io_context& io, const std::string& path) {
    boost::asio::local::stream_protocol::socket probe(io);
    error_code error;
    probe.connect(path, error);
    return !error;
}

/// Runs on the writer's thread, which may block.
void write_all(int descriptor, std::string_view text, bool& good) {
    while (good && !text.empty()) {
        const ssize_t written = send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            good = false;
        } else {
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }
}

}  // namespace

ControlSocket::~ControlSocket() {
    if (writer_) {
        // Ends writes to clients that do not read.
        for (const auto& socket : open_) ::shutdown(socket->native_handle(), SHUT_RDWR);
        writing_.stop();
        writer_->join();
    }
    if (!path_.empty()) unlink(path_.c_str());
}

base::Result<void> ControlSocket::listen(const std::string& path) {
    const auto failed = [&](const std::string& why) {
        return base::Error{fmt::format("can't listen for `sftdyn status`: {}", why), path,
                           "choose another path ([admin] control), in a folder that exists"};
    };
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) return failed("something else is there");
        if (is_served(io_, path)) return failed("another sftdyn listens there");
        unlink(path.c_str());
    }
    error_code error;
    acceptor_.open(Protocol(), error);
    const mode_t mask = umask(0117);
    if (!error) acceptor_.bind(path, error);
    umask(mask);
    if (!error) path_ = path;
    if (!error) acceptor_.listen(most_open, error);
    if (error) return failed(error.message());
    return {};
}

void ControlSocket::start() {
    writer_ = base::start_thread([this] {
        // After an answer that ran out of memory, the others are still served.
        while (!base::survive_no_memory([this] { writing_.run(); })) {
        }
    });
    if (writer_) return accept();
    base::log::error(
        "{}: there is no thread to serve it: `sftdyn status` does not work until a "
        "restart",
        path_);
    error_code ignored;  // the socket is not used in any case
    acceptor_.close(ignored);
    unlink(path_.c_str());
    path_.clear();
}

void ControlSocket::accept() {
    auto socket = std::make_shared<Protocol::socket>(io_);
    acceptor_.async_accept(*socket, [this, socket](error_code error) {
        if (error == boost::asio::error::operation_aborted) return;
        if (error) return pause();
        if (open_.size() < most_open) read(socket);
        accept();
    });
}

void ControlSocket::pause() {
    timer_.expires_after(accept_pause);
    timer_.async_wait([this](error_code error) {
        if (!error) accept();
    });
}

/// The input of a client.
struct ControlSocket::Asked {
    explicit Asked(boost::asio::io_context& io) : timer(io) {}
    std::string text{};
    boost::asio::steady_timer timer;
};

void ControlSocket::read(const std::shared_ptr<Protocol::socket>& socket) {
    open_.insert(socket);
    const auto asked = std::make_shared<Asked>(io_);
    asked->timer.expires_after(line_time);
    asked->timer.async_wait([socket](error_code error) {
        error_code ignored;  // the read has completed in the meantime
        if (!error) socket->cancel(ignored);
    });
    boost::asio::async_read_until(*socket, boost::asio::dynamic_buffer(asked->text, longest_line),
                                  '\n', [this, socket, asked](error_code error, std::size_t size) {
                                      asked->timer.cancel();
                                      const bool is_line = !error;
                                      const bool is_over =
                                          error == boost::asio::error::eof ||
                                          error == boost::asio::error::operation_aborted;
                                      if (is_line)
                                          return on_read(socket, asked->text.substr(0, size - 1));
                                      if (is_over && asked->text.empty())
                                          return on_read(socket, {});
                                      close(socket);
                                  });
}

void ControlSocket::on_read(const std::shared_ptr<Protocol::socket>& socket,
                            const std::string& line) {
    if (line.empty())
        return prepare_([this, socket](Document document) { answer(socket, std::move(document)); });
    answer(socket, [text = carry_out_(line)](const Part& part) { part(text); });
}

void ControlSocket::answer(const std::shared_ptr<Protocol::socket>& socket, Document document) {
    boost::asio::post(writing_, [this, socket, document = std::move(document)] {
        error_code ignored;  // a write to a closed connection fails anyway
        socket->native_non_blocking(false, ignored);
        setsockopt(socket->native_handle(), SOL_SOCKET, SO_SNDTIMEO, &write_time,
                   sizeof write_time);
        // When memory runs out, the document is cut short, which its reader detects.
        base::survive_no_memory([&] {
            bool good = true;
            std::string part;
            document([&](const std::string& text) {
                part += text;
                if (part.size() < part_size) return;
                write_all(socket->native_handle(), part, good);
                part.clear();
            });
            write_all(socket->native_handle(), part, good);
        });
        base::insist([&] { boost::asio::post(io_, [this, socket] { close(socket); }); });
    });
}

void ControlSocket::close(const std::shared_ptr<Protocol::socket>& socket) {
    error_code ignored;
    socket->close(ignored);
    open_.erase(socket);
}

}  // namespace sftdyn::server
