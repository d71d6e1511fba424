// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/unix_datagram.hpp"

#include <unistd.h>

#include <cerrno>
#include <string>

#include <gmock/gmock.h>

#include "datagram_receiver.hpp"

namespace sftdyn::base {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

int error_of(std::string_view name) {
    errno = 0;
    return connect_unix_datagram(name) ? 0 : errno;
}

TEST(UnixDatagram, GoesToAPath) {
    const DatagramReceiver receiver;
    const auto socket = connect_unix_datagram(receiver.name());
    ASSERT_TRUE(socket);
    EXPECT_TRUE(send_datagram(socket, "one"));
    EXPECT_TRUE(send_datagram(socket, "t\0wo"s));
    EXPECT_TRUE(send_datagram(socket, ""));
    EXPECT_THAT(receiver.received(), ElementsAre("one", "t\0wo"s, ""));
}

TEST(UnixDatagram, GoesToAnAbstractName) {
    const DatagramReceiver receiver("@sftdyn-test-" + std::to_string(getpid()));
    const auto socket = connect_unix_datagram(receiver.name());
    ASSERT_TRUE(socket);
    EXPECT_TRUE(send_datagram(socket, "one"));
    EXPECT_THAT(receiver.received(), ElementsAre("one"));
}

TEST(UnixDatagram, AnotherNameIsNone) {
    EXPECT_EQ(error_of("/no/such/socket"), ENOENT);
    EXPECT_EQ(error_of("@sftdyn-no-such-socket"), ECONNREFUSED);
    for (const char* name : {"", "/", "@", "relative", "vsock:2:1234"})
        EXPECT_EQ(error_of(name), EAFNOSUPPORT) << name;
}

TEST(UnixDatagram, ANameHasRoomOrIsRefused) {
    const std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
    EXPECT_EQ(error_of("/" + std::string(most - 1, 'a')), ENOENT);
    EXPECT_EQ(error_of("/" + std::string(most, 'a')), ENAMETOOLONG);
}

TEST(UnixDatagram, WhatNobodyTakesIsToldOf) {
    DatagramReceiver receiver;
    const auto socket = connect_unix_datagram(receiver.name());
    receiver.close();
    EXPECT_FALSE(send_datagram(socket, "one"));
    EXPECT_EQ(errno, ECONNREFUSED);
    EXPECT_FALSE(send_datagram(Descriptor(), "one"));
}

}  // namespace
}  // namespace sftdyn::base
