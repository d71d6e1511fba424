// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/control_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "base/thread.hpp"

namespace sftdyn::server {
namespace {

using boost::system::error_code;

constexpr unsigned most_open = 8;
constexpr timeval write_time{5, 0};  // for a reader to take a part
constexpr std::size_t part_size = 64 * 1024;
constexpr auto accept_pause = std::chrono::milliseconds(100);

/// Whether somebody listens on a socket's path.
bool is_served(boost::asio::io_context& io, const std::string& path) {
    boost::asio::local::stream_protocol::socket probe(io);
    error_code error;
    probe.connect(path, error);
    return !error;
}

/// On the writer's thread, where waiting harms nobody else.
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
        // A reader that does not read would be waited for.
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
        // One answer without memory is not the last.
        while (!base::survive_no_memory([this] { writing_.run(); })) {
        }
    });
    if (writer_) return accept();
    base::log::error(
        "{}: there is no thread to serve it: `sftdyn status` does not work until a "
        "restart",
        path_);
    error_code ignored;  // nobody is served either way
    acceptor_.close(ignored);
    unlink(path_.c_str());
    path_.clear();
}

void ControlSocket::accept() {
    auto socket = std::make_shared<Protocol::socket>(io_);
    acceptor_.async_accept(*socket, [this, socket](error_code error) {
        if (error == boost::asio::error::operation_aborted) return;
        if (error) return pause();
        if (open_.size() < most_open) answer(socket);
        accept();
    });
}

void ControlSocket::pause() {
    timer_.expires_after(accept_pause);
    timer_.async_wait([this](error_code error) {
        if (!error) accept();
    });
}

void ControlSocket::answer(std::shared_ptr<Protocol::socket> socket) {
    open_.insert(socket);
    prepare_([this, socket = std::move(socket)](Document document) {
        boost::asio::post(writing_, [this, socket, document = std::move(document)] {
            error_code ignored;  // a reader that is gone shows when it is written to
            socket->native_non_blocking(false, ignored);
            setsockopt(socket->native_handle(), SOL_SOCKET, SO_SNDTIMEO, &write_time,
                       sizeof write_time);
            // Without memory it ends early, which whoever reads it sees.
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
            base::insist([&] {
                boost::asio::post(io_, [this, socket] {
                    error_code also_ignored;
                    socket->close(also_ignored);
                    open_.erase(socket);
                });
            });
        });
    });
}

}  // namespace sftdyn::server
