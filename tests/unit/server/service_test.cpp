// SPDX-License-Identifier: GPL-3.0-or-later
// The service in a process of its own: it gives up privileges, and ends by signals. Its log comes
// through a pipe, and tells the test how far it is.
#include "server/service.hpp"

#include <fcntl.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include <gmock/gmock.h>
#include <boost/asio/ip/tcp.hpp>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/sanitized.hpp"
#include "http/test_pairs.hpp"
#include "temporary_folder.hpp"
#include "without_threads.hpp"

namespace sftdyn::server {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

class ServiceTest : public testing::Test {
protected:
    ServiceTest() {
        config::Settings& settings = loaded.settings;
        settings.http = {{.address = make_address("127.0.0.1"), .port = 0}};
        settings.dns.servers = {{make_address("127.0.0.1"), 1}};
        settings.dns.key_file = folder / "no-key";
        settings.seccomp = settings.landlock = false;
        settings.threads = 1;
        settings.bad_keys = 0;
    }
    ~ServiceTest() override {
        if (process <= 0) return;
        kill(process, SIGKILL);
        waitpid(process, nullptr, 0);
    }

    /// Runs it; `load` is called for the first load and for each reload, with their number.
    void start(const std::function<void(config::Loaded&, int)>& load = [](auto&, int) {}) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(pipe2(pipe.data(), O_CLOEXEC), 0);
        told = base::Descriptor(pipe[0]);
        process = fork();
        ASSERT_GE(process, 0);
        if (process == 0) {
            dup2(pipe[1], STDOUT_FILENO);
            dup2(pipe[1], STDERR_FILENO);
            _exit(serve(load));
        }
        close(pipe[1]);
    }
    /// What comes until a line has that text; all of it, if none has.
    std::string read_until(std::string_view text) {
        std::string all;
        for (char octet = 0; read(told.get(), &octet, 1) == 1;) {
            all += octet;
            if (octet == '\n' && all.find(text) != std::string::npos) break;
        }
        return all;
    }
    /// The port that it listens on, once it does.
    void await_start() {
        const std::string line = read_until("listens on http://127.0.0.1:");
        const auto at = line.rfind(':');
        ASSERT_NE(at, std::string::npos) << line;
        port = static_cast<std::uint16_t>(std::stoi(line.substr(at + 1)));
    }
    int status() {
        int code = 0;
        EXPECT_EQ(waitpid(process, &code, 0), process);
        process = -1;
        return WIFEXITED(code) ? WEXITSTATUS(code) : -WTERMSIG(code);
    }
    std::string get(const std::string& target) const {
        const base::Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const tcp::endpoint to(make_address("127.0.0.1"), port);
        if (::connect(client.get(), to.data(), static_cast<socklen_t>(to.size())) != 0)
            return "nobody listens";
        const std::string request = "GET " + target + " HTTP/1.0\r\n\r\n";
        send(client.get(), request.data(), request.size(), MSG_NOSIGNAL);
        std::string all;
        std::array<char, 4096> octets{};
        for (ssize_t size = 1; size > 0;) {
            size = recv(client.get(), octets.data(), octets.size(), 0);
            if (size > 0) all.append(octets.data(), static_cast<std::size_t>(size));
        }
        return all;
    }
    static void add(config::Loaded& to, const char* key) {
        EXPECT_FALSE(
            to.settings.clients.add(key, dns::Name::parse("h.example.org").value(), {}, 1));
    }

    TemporaryFolder folder;
    config::Loaded loaded;
    base::Descriptor told;
    pid_t process = -1;
    std::uint16_t port = 0;

private:
    int serve(const std::function<void(config::Loaded&, int)>& change) {
        int loads = 0;
        const config::Load load = [&] {
            config::Loaded made;
            config::Settings& settings = made.settings;
            settings.http = loaded.settings.http;
            settings.https = loaded.settings.https;
            settings.cert = loaded.settings.cert;
            settings.key = loaded.settings.key;
            settings.dns = loaded.settings.dns;
            settings.seccomp = settings.landlock = false;
            settings.threads = 1;
            settings.bad_keys = 0;
            change(made, loads++);
            return made;
        };
        const EventCommand none({});
        std::optional<Service> service(std::in_place, load(), load, none);
        const int code = service->run([](const std::vector<std::string>& addresses, const auto&) {
            for (const auto& address : addresses) base::log::info("it listens on {}", address);
        });
        const bool is_over = service->is_over();
        service.reset();
        return is_over ? code : 99;
    }
};

TEST_F(ServiceTest, ItServesUntilASignalAndEndsWell) {
    for (const int signal : {SIGTERM, SIGINT}) {
        start([](config::Loaded& to, int) { add(to, "key"); });
        await_start();
        EXPECT_THAT(get("/"), testing::EndsWith("\r\n\r\n127.0.0.1"));
        EXPECT_THAT(get("/wrong"), StartsWith("HTTP/1.1 403 "));
        EXPECT_THAT(get("/key"), StartsWith("HTTP/1.1 500 ")) << "there is no key for the DNS";
        ASSERT_EQ(kill(process, signal), 0);
        EXPECT_THAT(read_until("finishing what is under way"),
                    HasSubstr(signal == SIGTERM ? "SIGTERM: " : "SIGINT: "));
        EXPECT_EQ(status(), 0);
        EXPECT_EQ(get("/"), "nobody listens");
    }
}

TEST_F(ServiceTest, WhatIsMissingAtTheStartIsSaid) {
    start();
    const std::string log = read_until("it listens on");
    EXPECT_THAT(log, HasSubstr("there are no clients: every key is a bad key"));
    EXPECT_THAT(log, HasSubstr(folder / "no-key"));
}

TEST_F(ServiceTest, AReloadTakesEffect) {
    start([](config::Loaded& to, int number) { add(to, number == 0 ? "first" : "second"); });
    await_start();
    EXPECT_THAT(get("/second"), StartsWith("HTTP/1.1 403 "));
    ASSERT_EQ(kill(process, SIGHUP), 0);
    EXPECT_THAT(read_until("the configuration has"), HasSubstr("has 1 clients"));
    EXPECT_THAT(get("/second"), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(get("/first"), StartsWith("HTTP/1.1 403 "));
    ASSERT_EQ(kill(process, SIGHUP), 0) << "and so does the next one";
    read_until("the configuration has");
}

TEST_F(ServiceTest, AFaultyReloadChangesNothing) {
    start([](config::Loaded& to, int number) {
        add(to, number == 0 ? "first" : "second");
        if (number > 0) to.diagnostics.push_back(base::Error{"this is wrong"});
    });
    await_start();
    ASSERT_EQ(kill(process, SIGHUP), 0);
    EXPECT_THAT(read_until("the old one stays in use"), HasSubstr("this is wrong"));
    EXPECT_THAT(get("/first"), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(get("/second"), StartsWith("HTTP/1.1 403 "));
}

TEST_F(ServiceTest, AReloadWithACertificateThatCanNotBeUsedChangesNothing) {
    const http::PairFolder pair;
    const auto key = http::make_test_key("EC");
    pair.write(http::make_test_certificate(key.get()), http::pem_of(key.get()));
    loaded.settings.https = {{.address = make_address("127.0.0.1"), .port = 0}};
    loaded.settings.cert = pair.cert();
    loaded.settings.key = pair.key();
    start([this](config::Loaded& to, int number) {
        add(to, number == 0 ? "first" : "second");
        if (number == 1) to.settings.cert = folder / "absent";
        if (number == 2) to.settings.cert = to.settings.key = std::nullopt;
    });
    await_start();
    for (const auto& reason :
         {std::string(folder / "absent"), std::string("without a certificate")}) {
        ASSERT_EQ(kill(process, SIGHUP), 0);
        EXPECT_THAT(read_until("the old one stays in use"), HasSubstr(reason));
        EXPECT_THAT(get("/first"), StartsWith("HTTP/1.1 500 "));
        EXPECT_THAT(get("/second"), StartsWith("HTTP/1.1 403 "));
    }
    ASSERT_EQ(kill(process, SIGHUP), 0);
    read_until("the configuration has");
    EXPECT_THAT(get("/second"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(ServiceTest, WhatTakesARestartIsSaidAtAReload) {
    start([](config::Loaded& to, int number) {
        add(to, "key");
        if (number > 0) to.settings.threads = 7;
    });
    await_start();
    ASSERT_EQ(kill(process, SIGHUP), 0);
    EXPECT_THAT(read_until("the configuration has"), HasSubstr("threads"));
}

TEST_F(ServiceTest, WithoutItsAddressItDoesNotStart) {
    boost::asio::io_context io;
    const tcp::acceptor taken(io, {make_address("127.0.0.1"), 0});
    loaded.settings.http[0].port = taken.local_endpoint().port();
    start();
    EXPECT_THAT(read_until("can't listen"), HasSubstr("Address already in use"));
    EXPECT_EQ(status(), 1);
}

TEST_F(ServiceTest, WithoutAThreadItDoesNotStart) {
    if (base::sanitized) GTEST_SKIP() << "a sanitizer's run-time takes no seccomp filter";
    start([](auto&, int) { refuse_threads(); });
    EXPECT_THAT(read_until("can't serve"),
                HasSubstr("it takes 1 threads, and the system gives no more; raise the limits of "
                          "the service (TasksMax="));
    EXPECT_EQ(status(), 1);
}

TEST_F(ServiceTest, HttpsWithoutACertificateDoesNotStart) {
    loaded.settings.https = {{.address = make_address("127.0.0.1"), .port = 0}};
    loaded.settings.cert = folder / "cert";
    loaded.settings.key = folder / "key";
    start();
    EXPECT_THAT(read_until("neither that nor anything"), HasSubstr(folder / "cert"));
    EXPECT_EQ(status(), 1);
    const auto pair = http::make_test_key("EC");
    folder.write("cert", http::make_test_certificate(pair.get()));
    folder.write("key", http::pem_of(pair.get()));
    start();
    EXPECT_THAT(read_until("it listens on https"), HasSubstr("it listens on https://127.0.0.1:"));
}

}  // namespace
}  // namespace sftdyn::server
