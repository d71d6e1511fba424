// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/port_owner.hpp"

#include <unistd.h>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

namespace sftdyn::platform {
namespace {

namespace ip = boost::asio::ip;

/// What has the port of a listener at `listens`, for one who would listen at `wants`.
std::optional<PortOwner> owner(const char* listens, const char* wants) {
    boost::asio::io_context io;
    ip::tcp::acceptor acceptor(io, {ip::make_address(listens), 0});
    return owner_of({ip::make_address(wants), acceptor.local_endpoint().port()}, "");
}

TEST(PortOwner, ItIsTheProcessThatListens) {
    for (const auto& [listens, wants] : {std::pair("127.0.0.1", "127.0.0.1"),
                                         {"0.0.0.0", "127.0.0.1"},
                                         {"127.0.0.1", "0.0.0.0"},
                                         {"::1", "::1"},
                                         {"::", "0.0.0.0"}}) {
        const auto found = owner(listens, wants);
        ASSERT_TRUE(found) << listens << ' ' << wants;
        EXPECT_EQ(found->process, getpid());
        EXPECT_EQ(found->program, "test_platform");
    }
}

TEST(PortOwner, AnotherAddressIsFree) { EXPECT_FALSE(owner("127.0.0.1", "127.0.0.2")); }

TEST(PortOwner, AnEndedListenerHasNothing) {
    boost::asio::io_context io;
    ip::tcp::acceptor acceptor(io, {ip::make_address("127.0.0.1"), 0});
    const auto endpoint = acceptor.local_endpoint();
    acceptor.close();
    EXPECT_FALSE(owner_of(endpoint, ""));
}

}  // namespace
}  // namespace sftdyn::platform
