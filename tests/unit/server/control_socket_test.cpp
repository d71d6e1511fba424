// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/control_socket.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <future>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "base/descriptor.hpp"
#include "base/sanitized.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::server {
namespace {

using Local = boost::asio::local::stream_protocol;

class ControlSocketTest : public testing::Test {
protected:
    ~ControlSocketTest() override { end(); }
    /// As the program ends it.
    void end() {
        io.stop();
        if (thread.joinable()) thread.join();
        control.reset();
    }
    /// Serves, with the event loop on a thread of its own.
    void serve() {
        const auto listening = control->listen(path);
        ASSERT_TRUE(listening.has_value()) << listening.error().text();
        control->start();
        thread = std::thread([this] { io.run(); });
    }
    /// Does it on the event loop's thread, which must not be kept waiting by anybody.
    template <class Step>
    void on_io(Step step) {
        if (!thread.joinable()) return step();
        std::promise<void> done;
        boost::asio::post(io, [&] {
            step();
            done.set_value();
        });
        done.get_future().wait();
    }
    base::Descriptor connect() const {
        base::Descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const Local::endpoint to(path);
        if (::connect(client.get(), to.data(), static_cast<socklen_t>(to.size())) == 0)
            return client;
        return base::Descriptor();
    }
    /// All that comes until the end.
    static std::string read(const base::Descriptor& client) {
        std::string all;
        std::array<char, 65536> octets{};
        for (ssize_t size = 1; size > 0;) {
            size = recv(client.get(), octets.data(), octets.size(), 0);
            if (size > 0) all.append(octets.data(), static_cast<std::size_t>(size));
        }
        return all;
    }

    TemporaryFolder folder;
    const std::string path = folder / "control";
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        io.get_executor()};
    std::thread thread;
    std::thread::id prepared_on, written_on;
    std::vector<std::string> parts{"{", "}\n"};
    /// Those that wait for the document, unless it is given at once.
    std::vector<std::function<void(ControlSocket::Document)>> waiting;
    bool is_at_once = true;
    ControlSocket::Document document = [this](const ControlSocket::Part& part) {
        written_on = std::this_thread::get_id();
        for (const auto& text : parts) part(text);
    };
    std::optional<ControlSocket> control{std::in_place, io,
                                         [this](std::function<void(ControlSocket::Document)> done) {
                                             prepared_on = std::this_thread::get_id();
                                             if (is_at_once) return done(document);
                                             waiting.push_back(std::move(done));
                                         }};
};

TEST_F(ControlSocketTest, EachConnectionReadsTheDocumentAndItsEnd) {
    serve();
    for (int i = 0; i < 3; ++i) {
        parts = {"{", std::to_string(i), "}\n"};
        EXPECT_EQ(read(connect()), "{" + std::to_string(i) + "}\n");
    }
}

TEST_F(ControlSocketTest, ItIsPreparedOnTheLoopsThreadAndWrittenOnAnother) {
    serve();
    const auto loop = thread.get_id();
    read(connect());
    EXPECT_EQ(prepared_on, loop);
    EXPECT_NE(written_on, loop);
    EXPECT_NE(written_on, std::thread::id());
}

TEST_F(ControlSocketTest, ADocumentOfManyPartsComesWhole) {
    parts.clear();
    std::string all;
    for (std::size_t i = 0; i < 3000; ++i) {
        parts.push_back(std::to_string(i) + std::string(i, 'x'));
        all += parts.back();
    }
    serve();
    EXPECT_EQ(read(connect()), all);
}

TEST_F(ControlSocketTest, AReaderThatDoesNotReadKeepsTheLoopAndTheEndFromNothing) {
    parts.assign(1000, std::string(100'000, 'x'));
    serve();
    const auto stuck = connect(), second = connect();
    for (int i = 0; i < 3; ++i) on_io([] {});
    end();
    EXPECT_LT(read(stuck).size(), 100'000'000U) << "it was cut";
}

TEST_F(ControlSocketTest, EightAreServedAtOnceAndNoMore) {
    is_at_once = false;
    serve();
    std::vector<base::Descriptor> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(connect());
    // Accepted behind the eight, and closed.
    EXPECT_EQ(read(connect()), "");
    on_io([this] {
        EXPECT_EQ(waiting.size(), 8U);
        for (const auto& done : waiting) done(document);
        waiting.clear();
    });
    for (const auto& client : clients) EXPECT_EQ(read(client), "{}\n");
    // A place is free again once the loop has seen the end of one.
    is_at_once = true;
    std::string answer;
    while (answer.empty()) answer = read(connect());
    EXPECT_EQ(answer, "{}\n");
}

TEST_F(ControlSocketTest, WithoutADescriptorItWaitsBeforeItTriesAgain) {
    if (base::sanitized) GTEST_SKIP() << "its run-time needs descriptors of its own";
    ASSERT_TRUE(control->listen(path).has_value());
    control->start();
    const auto client = connect();
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit none{3, limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    int turns = 0;
    while (turns < 100 && io.poll_one() > 0) ++turns;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_GT(turns, 0);
    EXPECT_LT(turns, 100) << "it has failed, and tries nothing meanwhile";
    thread = std::thread([this] { io.run(); });
    EXPECT_EQ(read(client), "{}\n");
}

TEST_F(ControlSocketTest, ADocumentWithoutMemoryEndsEarlyAndIsNotTheLast) {
    serve();
    on_io([this] { document = [](const ControlSocket::Part&) { throw std::bad_alloc(); }; });
    for (int i = 0; i < 10; ++i) EXPECT_EQ(read(connect()), "");
    on_io([this] { document = [](const ControlSocket::Part& part) { part("{}\n"); }; });
    std::string answer;
    while (answer.empty()) answer = read(connect());
    EXPECT_EQ(answer, "{}\n");
}

TEST_F(ControlSocketTest, OwnerAndGroupMayConnectWhateverTheMask) {
    for (const mode_t mask : {0000U, 0077U}) {
        const mode_t before = umask(mask);
        ControlSocket one(io, {});
        ASSERT_TRUE(one.listen(path).has_value());
        struct stat info {};
        ASSERT_EQ(stat(path.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 07777U, 0660U);
        EXPECT_EQ(umask(before), mask) << "the mask is as it was";
    }
}

TEST_F(ControlSocketTest, ASocketThatNobodyListensOnIsReplaced) {
    {
        boost::asio::io_context other;
        const Local::acceptor stale(other, Local::endpoint(path));
    }
    ASSERT_TRUE(std::filesystem::exists(path));
    serve();
    EXPECT_EQ(read(connect()), "{}\n");
}

TEST_F(ControlSocketTest, WhereAnotherListensItIsLeftAlone) {
    serve();
    ControlSocket other(io, {});
    const auto listening = other.listen(path);
    ASSERT_TRUE(listening.has_error());
    EXPECT_EQ(listening.error().text(),
              path +
                  ": can't listen for `sftdyn status`: another sftdyn listens there; choose "
                  "another path ([admin] control), in a folder that exists");
}

TEST_F(ControlSocketTest, WhatIsNoSocketIsLeftAlone) {
    folder.write("control", "text");
    const auto listening = control->listen(path);
    ASSERT_TRUE(listening.has_error());
    EXPECT_NE(listening.error().text().find("something else is there"), std::string::npos);
    control.reset();
    EXPECT_EQ(folder.read("control"), "text");
}

TEST_F(ControlSocketTest, AFolderThatIsNotThereIsAnError) {
    EXPECT_NE(control->listen(folder / "none/control").error().text().find("No such file"),
              std::string::npos);
}

TEST_F(ControlSocketTest, TheFileGoesWithIt) {
    serve();
    EXPECT_TRUE(std::filesystem::exists(path));
    end();
    EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace sftdyn::server
