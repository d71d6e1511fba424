// SPDX-License-Identifier: GPL-3.0-or-later
// Connections without a server: the client's end is a socket of the test's, the clock is set by the
// test, and the event loop runs when it is told to.
#pragma once

#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "base/descriptor.hpp"
#include "http/connection.hpp"
#include "http/usual_limits.hpp"

namespace sftdyn::http {

struct FakeHandler : Handler {
    std::function<std::optional<Response>(const Request&, const std::function<Later()>&)> answer;
    bool needs_it = true;
    bool needs_client() const override { return needs_it; }
    std::optional<Response> handle(const Request& request,
                                   const std::function<Later()>& defer) override {
        return answer(request, defer);
    }
};

struct FakeObserver : Observer {
    std::vector<RefusedRequest> refused{};
    void on_refused(const RefusedRequest& request) override { refused.push_back(request); }
};

class ConnectionTest : public testing::Test {
protected:
    ConnectionTest() {
        handler_.answer = [](const Request& request, const auto&) {
            return Response{200, request.client.to_string()};
        };
    }

    /// Two ends of one connection: the server's, and the client's, which stays the test's.
    std::pair<Socket, int> pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        clients_.emplace_back(ends[1]);
        return {Socket(io_, Stream(AF_UNIX, 0), ends[0]), ends[1]};
    }

    /// Does what there is to do, and waits for nothing.
    void run() {
        io_.restart();
        while (io_.poll() > 0) {
        }
    }

    void tell(int client, std::string_view octets) {
        EXPECT_EQ(send(client, octets.data(), octets.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(octets.size()));
        run();
    }

    /// All that has come; `is_closed` says whether that was the end.
    std::string received(int client) {
        std::string all;
        std::array<char, 4096> octets{};
        while (true) {
            run();
            const ssize_t size = recv(client, octets.data(), octets.size(), 0);
            is_closed = size == 0 || (size < 0 && errno != EAGAIN);
            if (size <= 0) return all;
            all.append(octets.data(), static_cast<std::size_t>(size));
        }
    }

    /// What comes back for `octets`.
    std::string ask(int client, std::string_view octets) {
        tell(client, octets);
        const std::string all = received(client);
        return !all.empty() ? all : is_closed ? "closed" : "nothing";
    }

    std::string body(int client, std::string_view octets) {
        const std::string all = ask(client, octets);
        const auto end = all.find("\r\n\r\n");
        return end == std::string::npos ? all : all.substr(end + 4);
    }

    /// The first line of each answer in `all`, without the version.
    static std::vector<std::string> status_lines(const std::string& all) {
        constexpr std::string_view version = "HTTP/1.1 ";
        std::vector<std::string> lines;
        for (auto at = all.find(version); at != std::string::npos; at = all.find(version, at + 1)) {
            const auto begin = at + version.size();
            lines.push_back(all.substr(begin, all.find("\r\n", at) - begin));
        }
        return lines;
    }

    /// Whether nothing of the connections ends one moment before `time` has passed, and one at it.
    testing::AssertionResult ends_at(base::Duration time) {
        const auto count = set_.list.size();
        const auto began = now_;
        now_ = began + time - base::Duration(1);
        set_.sweep(now_);
        run();
        if (set_.list.size() != count) return testing::AssertionFailure() << "it ended before";
        now_ = began + time;
        set_.sweep(now_);
        run();
        if (set_.list.size() != count - 1) return testing::AssertionFailure() << "it did not end";
        return testing::AssertionSuccess();
    }

    FakeHandler handler_;
    FakeObserver observer_;
    Limits limits_ = usual_limits();
    Proxies proxies_{{*base::Network::parse("10.0.0.0/8")}, ProxyHeader::x_forwarded_for};
    ConnectionLimiter admission_{100, 100};
    base::TimePoint now_{std::chrono::hours(1)};
    ConnectionSet set_{handler_,          limits_,    proxies_,
                       "x-forwarded-for", &observer_, [this] { return now_; }};
    boost::asio::io_context io_{1};
    std::vector<base::Descriptor> clients_;
    Peer client_ = Peer::of(boost::asio::ip::make_address("192.0.2.1"), proxies_);
    Peer proxy_ = Peer::of(boost::asio::ip::make_address("10.0.0.1"), proxies_);
    bool is_closed = false;
};

}  // namespace sftdyn::http
