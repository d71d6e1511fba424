// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/server.hpp"

#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "http/usual_limits.hpp"

namespace {

/// The allocations of other threads than the test's that still succeed; then one fails. Threads of
/// other tests are not concerned: there are none, one test runs at a time.
std::atomic<int> left = std::numeric_limits<int>::max();
thread_local bool is_test_thread = false;

bool fails() { return !is_test_thread && left.fetch_sub(1) == 1; }

}  // namespace

// That of the whole test program. The other half of the pair is the library's or base's, which both
// call std::free; the address sanitizer's would complain of memory that its own did not give.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size) {
    void* out = fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
    if (out == nullptr) throw std::bad_alloc();
    return out;
}
#ifdef __SANITIZE_ADDRESS__
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

// Where Asio takes its memory.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    if (!fails()) return memalign(alignment, size);
    errno = ENOMEM;
    return nullptr;
}

using namespace sftdyn;
using namespace sftdyn::http;

namespace {

struct Greeter : Handler {
    std::optional<Response> handle(const Request& request, const std::function<Later()>&) override {
        return Response{200, request.client.to_string() + std::string(64, '.')};
    }
};

/// A client with a connection to a loopback port.
class Client {
public:
    explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    ~Client() { close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void ask() const {
        constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    }

    /// What comes within `patience`: octets, "" for the end of the connection, else "nothing".
    std::string answer(std::chrono::milliseconds patience) const {
        pollfd waits{socket_, POLLIN, 0};
        if (poll(&waits, 1, static_cast<int>(patience.count())) != 1) return "nothing";
        std::array<char, 4096> out{};
        const ssize_t size = recv(socket_, out.data(), out.size(), 0);
        return size <= 0 ? "" : std::string(out.data(), static_cast<std::size_t>(size));
    }

private:
    int socket_;
};

class Memory : public testing::Test {
protected:
    Memory() {
        is_test_thread = true;
        limits_.idle_time = std::chrono::milliseconds(500);
        server_.emplace(greeter_, limits_, Proxies{}, 1);
        std::vector<Endpoint> endpoints(1);
        endpoints[0].address = boost::asio::ip::make_address("127.0.0.1");
        EXPECT_TRUE(server_->listen(endpoints));
        port_ = endpoints[0].port;
        EXPECT_FALSE(server_->start().has_error());
    }
    ~Memory() override { left = std::numeric_limits<int>::max(); }

    bool is_served() const {
        const Client client(port_);
        client.ask();
        return client.answer(patience).starts_with("HTTP/1.1 200 OK\r\n");
    }

    static constexpr auto patience = std::chrono::seconds(10);
    Greeter greeter_;
    Limits limits_ = usual_limits();
    std::optional<Server> server_;
    std::uint16_t port_ = 0;
};

/// Each allocation that a connection and its request cost fails once.
TEST_F(Memory, TheNextConnectionIsServedWhateverAllocationFails) {
    int failed = 0, number = 1;
    for (int untouched = 0; untouched < 3; ++number) {
        left = number;
        {
            const Client client(port_);
            client.ask();
            const std::string answer = client.answer(patience);
            EXPECT_NE(answer, "nothing") << "allocation " << number;
        }
        const bool has_failed = left.exchange(std::numeric_limits<int>::max()) <= 0;
        failed += has_failed ? 1 : 0;
        untouched = has_failed ? 0 : untouched + 1;
        ASSERT_TRUE(is_served()) << "behind a failure of allocation " << number;
    }
    EXPECT_GT(failed, 3);
    // Idle connections are still swept.
    const Client idle(port_);
    EXPECT_EQ(idle.answer(patience), "");
}

}  // namespace
