// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <new>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "base/descriptor.hpp"
#include "temporary_folder.hpp"

using namespace sftdyn;
using namespace sftdyn::http;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;
using Local = boost::asio::local::stream_protocol;

namespace {

TEST(Endpoints, AreToldAsTheyAreWritten) {
    Endpoint four, six, local;
    four.address = make_address("192.0.2.1");
    four.port = 80;
    six.address = make_address("2001:db8::1");
    six.port = 8080;
    local.path = "/run/x";
    EXPECT_EQ(text_of(four), "192.0.2.1:80");
    EXPECT_EQ(text_of(six), "[2001:db8::1]:8080");
    EXPECT_EQ(text_of(local), "unix:/run/x");
}

TEST(Endpoints, OfAPeerTheAddressIsKnownUnlessItIsAUnixSocket) {
    EXPECT_EQ(address_of(Stream::endpoint(tcp::endpoint(make_address("192.0.2.1"), 7))),
              make_address("192.0.2.1"));
    EXPECT_EQ(address_of(Stream::endpoint(tcp::endpoint(make_address("2001:db8::1"), 7))),
              make_address("2001:db8::1"));
    EXPECT_EQ(address_of(Stream::endpoint(Local::endpoint("/run/x"))), std::nullopt);
}

class Listening : public testing::Test {
protected:
    static Endpoint loopback(std::uint16_t port = 0) {
        Endpoint endpoint;
        endpoint.address = make_address("127.0.0.1");
        endpoint.port = port;
        return endpoint;
    }
    Endpoint local(const std::string& name = "socket") const {
        Endpoint endpoint;
        endpoint.path = folder_ / name;
        return endpoint;
    }
    base::Result<std::vector<Acceptor>> listen(Endpoint& endpoint) {
        return listen_all(endpoint, {&io_});
    }
    static std::string why_not(const base::Result<std::vector<Acceptor>>& result) {
        return result.has_error() ? result.error().text() : "it listens";
    }

    base::Descriptor connect(const Endpoint& to) {
        base::Descriptor client(
            socket(to.path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const Stream::endpoint address = to.path.empty()
                                             ? Stream::endpoint(tcp::endpoint(to.address, to.port))
                                             : Stream::endpoint(Local::endpoint(to.path));
        const int result =
            ::connect(client.get(), address.data(), static_cast<socklen_t>(address.size()));
        return result == 0 ? std::move(client) : base::Descriptor();
    }
    [[nodiscard]] mode_t mode_of(const Endpoint& endpoint) const {
        struct stat info {};
        EXPECT_EQ(stat(endpoint.path.c_str(), &info), 0);
        return info.st_mode & 07777U;
    }

    TemporaryFolder folder_;
    boost::asio::io_context io_{1}, other_{1};
};

TEST_F(Listening, APortThatIsFreeIsTakenForAllThreads) {
    Endpoint endpoint = loopback();
    const auto sockets = listen_all(endpoint, {&io_, &other_});
    ASSERT_TRUE(sockets.has_value()) << sockets.error().text();
    ASSERT_EQ(sockets->size(), 2U);
    EXPECT_NE(endpoint.port, 0);
    EXPECT_TRUE(connect(endpoint));
    for (const Acceptor& acceptor : *sockets) {
        const Stream::endpoint bound = acceptor.local_endpoint();
        EXPECT_EQ(ntohs(reinterpret_cast<const sockaddr_in*>(bound.data())->sin_port),
                  endpoint.port);
    }
}

TEST_F(Listening, WhatSomebodyHasIsNotSharedWithHim) {
    Endpoint first = loopback();
    const auto sockets = listen(first);
    ASSERT_TRUE(sockets.has_value());
    Endpoint second = loopback(first.port);
    EXPECT_EQ(why_not(listen(second)),
              text_of(first) +
                  ": can't listen: Address already in use; another program has this "
                  "port: stop it, or use another port");
}

TEST_F(Listening, AnAddressOfAnotherMachineIsNone) {
    Endpoint endpoint = loopback();
    endpoint.address = make_address("192.0.2.1");
    EXPECT_EQ(why_not(listen(endpoint)),
              "192.0.2.1:0: can't listen: Cannot assign requested address; use an address of this "
              "machine");
}

TEST_F(Listening, ALocalSocketHasItsModeWhateverTheMask) {
    const mode_t before = umask(0077);
    for (const unsigned mode : {0660U, 0600U, 0666U}) {
        Endpoint endpoint = local(std::to_string(mode));
        endpoint.mode = mode;
        endpoint.gid = getegid();
        const auto sockets = listen(endpoint);
        ASSERT_TRUE(sockets.has_value()) << sockets.error().text();
        EXPECT_EQ(mode_of(endpoint), mode);
        EXPECT_TRUE(connect(endpoint));
    }
    umask(before);
}

TEST_F(Listening, ALocalSocketIsItsGroupsOrNobodyListens) {
    Endpoint endpoint = local();
    endpoint.gid = 54321;
    const auto sockets = listen(endpoint);
    struct stat info {};
    ASSERT_EQ(stat(endpoint.path.c_str(), &info), 0);
    if (geteuid() == 0) {
        ASSERT_TRUE(sockets.has_value()) << sockets.error().text();
        EXPECT_EQ(info.st_gid, 54321U);
        EXPECT_EQ(info.st_uid, 0U);
    } else {  // who may not give it
        EXPECT_EQ(why_not(sockets), text_of(endpoint) +
                                        ": can't give the socket to its group: sftdyn's user is "
                                        "not in it; put that user into the group 54321 (usermod "
                                        "-aG) and restart sftdyn; or leave the group out, and put "
                                        "the proxy's user into sftdyn's group");
        EXPECT_FALSE(connect(endpoint));
    }
}

TEST_F(Listening, ALocalSocketThatNobodyListensOnIsReplaced) {
    Endpoint endpoint = local();
    ASSERT_TRUE(listen(endpoint).has_value());  // closed again, its file stays
    EXPECT_FALSE(connect(endpoint));
    const auto sockets = listen(endpoint);
    ASSERT_TRUE(sockets.has_value()) << sockets.error().text();
    EXPECT_TRUE(connect(endpoint));
}

TEST_F(Listening, ALocalSocketThatSomebodyListensOnIsLeftAlone) {
    Endpoint first = local();
    const auto sockets = listen(first);
    ASSERT_TRUE(sockets.has_value());
    Endpoint second = local();
    EXPECT_EQ(why_not(listen(second)),
              text_of(first) +
                  ": can't listen: Address already in use; another program listens "
                  "there: stop it, or use another path");
    EXPECT_TRUE(connect(first));
}

TEST_F(Listening, AFileThatIsNoSocketIsLeftAlone) {
    folder_.write("socket", "text");
    Endpoint endpoint = local();
    EXPECT_NE(why_not(listen(endpoint)), "it listens");
    EXPECT_EQ(folder_.read("socket"), "text");
}

TEST_F(Listening, ASocketOfAnotherKindIsLeftAlone) {
    const base::Descriptor datagrams(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    Endpoint endpoint = local();
    const Local::endpoint there(endpoint.path);
    ASSERT_EQ(bind(datagrams.get(), there.data(), static_cast<socklen_t>(there.size())), 0);
    EXPECT_NE(why_not(listen(endpoint)), "it listens");
    const base::Descriptor client(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), there.data(), static_cast<socklen_t>(there.size())), 0);
}

TEST_F(Listening, APathIsAsLongAsTheSystemTakes) {
    constexpr std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
    const std::size_t before = folder_.path().string().size() + 1;
    Endpoint fits = local(std::string(most - before, 'x')),
             too_long = local(std::string(most - before + 1, 'x'));
    const auto sockets = listen(fits);
    EXPECT_TRUE(sockets.has_value()) << why_not(sockets);
    EXPECT_EQ(why_not(listen(too_long)), text_of(too_long) +
                                             ": the socket's path is too long; it may have 107 "
                                             "octets");
}

TEST_F(Listening, AFolderThatIsNotThereIsToldOf) {
    Endpoint endpoint = local("none/socket");
    EXPECT_EQ(why_not(listen(endpoint)),
              text_of(endpoint) +
                  ": can't listen: No such file or directory; the socket's folder must be there, "
                  "and sftdyn's user must be able to write to it");
}

TEST_F(Listening, APassedSocketIsTakenAsItIs) {
    Endpoint first = loopback(), second = local();
    for (Endpoint* endpoint : {&first, &second}) {
        auto made = listen(*endpoint);
        ASSERT_TRUE(made.has_value());
        Endpoint passed;
        passed.inherited = made->front().release();
        const auto sockets = listen_all(passed, {&io_, &other_});
        ASSERT_TRUE(sockets.has_value()) << sockets.error().text();
        EXPECT_EQ(sockets->size(), 2U);
        EXPECT_EQ(text_of(passed), text_of(*endpoint)) << "the address is that of the socket";
        EXPECT_TRUE(connect(*endpoint));
    }
}

TEST_F(Listening, APassedSocketThatDoesNotListenIsAnError) {
    tcp::acceptor bound(io_, tcp::v4());
    bound.bind({make_address("127.0.0.1"), 0});
    Endpoint passed;
    passed.inherited = bound.native_handle();
    const auto sockets = listen(passed);
    EXPECT_EQ(why_not(sockets).substr(0, 60).find("descriptor "), 0U) << why_not(sockets);
    EXPECT_NE(why_not(sockets).find("the socket that was passed does not listen"),
              std::string::npos);
    EXPECT_TRUE(bound.is_open());
    EXPECT_NE(fcntl(bound.native_handle(), F_GETFD), -1) << "it is still its owner's";
}

class ListenerTest : public Listening {
protected:
    ListenerTest() {
        auto sockets = listen(endpoint_);
        EXPECT_TRUE(sockets.has_value());
        descriptor_ = sockets->front().native_handle();
        Listener::Capacity room{[this] { return places_ > 0; },
                                [this](bool descriptors_are_short) {
                                    EXPECT_FALSE(descriptors_are_short);
                                    ++made_;
                                    if (can_make_) ++places_;
                                    return can_make_;
                                }};
        listener_ =
            std::make_shared<Listener>(std::move(sockets->front()), std::move(room),
                                       [this](Socket& socket, const Stream::endpoint& peer) {
                                           return on_accept_(socket, peer);
                                       });
        on_accept_ = [this](Socket& socket, const Stream::endpoint& peer) {
            peers_.push_back(address_of(peer));
            taken_.push_back(std::move(socket));
            return true;
        };
        listener_->start();
    }
    ~ListenerTest() override {
        listener_->stop();
        run();
    }
    void run() {
        io_.restart();
        while (io_.poll() > 0) {
        }
    }
    template <class Condition>
    void run_until(Condition is_so) {
        io_.restart();
        while (!is_so()) ASSERT_GT(io_.run_one(), 0U);
    }

    Endpoint endpoint_ = loopback();
    int descriptor_ = -1;
    int places_ = 100, made_ = 0;
    bool can_make_ = false;
    std::function<bool(Socket&, const Stream::endpoint&)> on_accept_;
    std::vector<Socket> taken_;
    std::vector<std::optional<boost::asio::ip::address>> peers_;
    std::shared_ptr<Listener> listener_;
};

TEST_F(ListenerTest, EachConnectionIsHandedOn) {
    const auto one = connect(endpoint_), other = connect(endpoint_);
    run_until([&] { return taken_.size() == 2; });
    EXPECT_EQ(peers_,
              (std::vector<std::optional<boost::asio::ip::address>>(2, make_address("127.0.0.1"))));
    EXPECT_EQ(made_, 0);
}

TEST_F(ListenerTest, WhatIsNotTakenIsClosed) {
    on_accept_ = [this](Socket&, const Stream::endpoint&) {
        ++made_;
        return true;
    };
    const auto client = connect(endpoint_);
    run_until([&] { return made_ == 1; });
    char octet = 0;
    EXPECT_EQ(recv(client.get(), &octet, 1, 0), 0);
}

TEST_F(ListenerTest, OneThatFindsNoPlaceComesAgain) {
    int refusals = 0;
    const auto take = on_accept_;
    on_accept_ = [&](Socket& socket, const Stream::endpoint& peer) {
        return ++refusals > 2 && take(socket, peer);
    };
    const auto client = connect(endpoint_);
    run_until([&] { return taken_.size() == 1; });
    EXPECT_EQ(refusals, 3);
    EXPECT_EQ(send(taken_[0].native_handle(), "x", 1, MSG_NOSIGNAL), 1);
    char octet = 0;
    EXPECT_EQ(recv(client.get(), &octet, 1, 0), 1) << "the same one";
    EXPECT_EQ(octet, 'x');
}

TEST_F(ListenerTest, WithoutAPlaceItWaitsUntilThereIsOne) {
    const auto first = connect(endpoint_);
    places_ = 0;
    run_until([&] { return taken_.size() == 1; });  // it was being accepted
    const auto second = connect(endpoint_);
    run_until([&] { return made_ == 1; });
    EXPECT_EQ(taken_.size(), 1U) << "it asks for a place first";
    run_until([&] { return made_ == 2; });
    EXPECT_EQ(taken_.size(), 1U);
    can_make_ = true;
    run_until([&] { return taken_.size() == 2; });
    EXPECT_EQ(made_, 3);
}

TEST_F(ListenerTest, WhereItCanNotAcceptItWaitsBeforeItTriesAgain) {
    ASSERT_EQ(shutdown(descriptor_, SHUT_RDWR), 0);  // each accept(2) fails with EINVAL
    io_.restart();
    int turns = 0;
    while (turns < 100 && io_.poll_one() > 0) ++turns;
    EXPECT_GT(turns, 0);
    EXPECT_LT(turns, 100);
}

TEST_F(ListenerTest, AfterItsEndItAcceptsNobody) {
    listener_->stop();
    run();
    EXPECT_FALSE(connect(endpoint_));
    listener_->revive();
    run();
    EXPECT_TRUE(io_.stopped()) << "nothing is waited for any more";
    EXPECT_TRUE(taken_.empty());
}

TEST_F(ListenerTest, AnExceptionEndsItsWaitAndItIsRevived) {
    const auto take = on_accept_;
    on_accept_ = [](Socket&, const Stream::endpoint&) -> bool { throw std::bad_alloc(); };
    const auto client = connect(endpoint_);
    io_.restart();
    EXPECT_THROW(io_.run(), std::bad_alloc);
    run();
    on_accept_ = take;
    listener_->revive();
    listener_->revive();
    run_until([&] { return taken_.size() == 1; });
    const auto next = connect(endpoint_);
    run_until([&] { return taken_.size() == 2; });
}

}  // namespace
