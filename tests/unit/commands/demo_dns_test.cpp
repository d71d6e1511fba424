// SPDX-License-Identifier: GPL-3.0-or-later
// What the demo's DNS server leaves behind, and what it says where it can't start. That it serves,
// the demo shows.
#include "commands/demo_dns.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include "dns/tsig_key_file.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

namespace ip = boost::asio::ip;
using testing::HasSubstr;

/// Its temporary folders are made in this one.
class DemoDnsTest : public testing::Test {
protected:
    DemoDnsTest() {
        if (const char* before = std::getenv("TMPDIR"); before != nullptr) before_ = before;
        setenv("TMPDIR", folder.path().c_str(), 1);
    }
    ~DemoDnsTest() override {
        before_ ? setenv("TMPDIR", before_->c_str(), 1) : unsetenv("TMPDIR");
    }
    const TemporaryFolder folder;
    boost::asio::io_context io;

private:
    std::optional<std::string> before_{};
};

TEST_F(DemoDnsTest, APortThatIsTakenIsToldAndNothingIsLeft) {
    const ip::tcp::acceptor tcp(io, {ip::address_v4::loopback(), 0});
    const ip::udp::socket udp(io, {ip::address_v4::loopback(), 0});
    for (const std::uint16_t port : {tcp.local_endpoint().port(), udp.local_endpoint().port()}) {
        const auto demo = DemoDns::start("dyn.example.org", port);
        ASSERT_TRUE(demo.has_error());
        EXPECT_THAT(demo.error().what, HasSubstr("can't have port " + std::to_string(port)));
        EXPECT_THAT(demo.error().remedy, HasSubstr("choose another with --dns-port"));
    }
    EXPECT_TRUE(folder.empty());
}

TEST_F(DemoDnsTest, ItsFilesGoWithIt) {
    if (access("/usr/sbin/knotd", X_OK) != 0) GTEST_SKIP() << "knotd is not installed";
    {
        const auto demo = DemoDns::start("dyn.example.org", 0);
        ASSERT_FALSE(demo.has_error()) << demo.error().text();
        EXPECT_NE(demo->address().port, 0);
        EXPECT_TRUE(demo->address().address.is_loopback());
        struct stat status {};
        ASSERT_EQ(stat(demo->key_file().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777U, 0600U);
        EXPECT_FALSE(dns::read_key_file(demo->key_file()).has_error());
        EXPECT_FALSE(folder.empty());
        // Somebody else can't have its port meanwhile.
        EXPECT_TRUE(DemoDns::start("dyn.example.org", demo->address().port).has_error());
    }
    EXPECT_TRUE(folder.empty());
}

}  // namespace
}  // namespace sftdyn::commands
