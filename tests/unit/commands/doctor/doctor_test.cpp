// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/doctor/doctor.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include "commands/run_command.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

namespace ip = boost::asio::ip;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DoctorTest : public testing::Test {
protected:
    /// A port of UDP and TCP that nobody has.
    static std::string free_port() {
        boost::asio::io_context io;
        const ip::tcp::acceptor acceptor(io, {ip::address_v4::loopback(), 0});
        return std::to_string(acceptor.local_endpoint().port());
    }
    [[nodiscard]] Ran doctor(const std::string& text, std::vector<std::string> words = {}) const {
        words.insert(words.begin(), {"doctor", folder.write("c.toml", text)});
        return run_command(words);
    }
    [[nodiscard]] std::string with_key(const std::string& more) const {
        folder.write("ns.key",
                     "key \"k\" { algorithm hmac-sha256; secret "
                     "\"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmU=\"; };\n");
        return "http = \"127.0.0.1:0\"\nnskeyfile = \"ns.key\"\n" + more;
    }

    const TemporaryFolder folder;
};

TEST_F(DoctorTest, AWrongConfigurationIsAllThatIsToldOf) {
    const Ran ran = doctor("http = true\n[limits]\nthreads = -1\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out,
                ContainsRegex("^BAD      conf         .*c\\.toml:1:8: http is of the wrong"));
    EXPECT_THAT(ran.out, HasSubstr("\n                      -> expected PORT, "));
    EXPECT_THAT(ran.out, EndsWith("\n2 errors\n"));
    EXPECT_THAT(ran.out, Not(HasSubstr("server")));
    EXPECT_THAT(doctor("http = true\n").out, EndsWith("\n1 error\n"));
}

TEST_F(DoctorTest, ProgramsGetJson) {
    const Ran ran = doctor("http = true\n", {"--json"});
    EXPECT_EQ(ran.status, 1);
    const auto findings = boost::json::parse(ran.out).as_array();
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].at("check"), "conf");
    EXPECT_EQ(findings[0].at("result"), "bad");
    EXPECT_THAT(std::string(findings[0].at("what").as_string()),
                HasSubstr("c.toml:1:8: http is of the wrong type"));
    EXPECT_THAT(std::string(findings[0].at("mend").as_string()), StartsWith("expected PORT"));
}

TEST_F(DoctorTest, WithoutClientsEveryKeyIsABadKey) {
    const std::string dns = "[dns]\nserver = \"127.0.0.1:" + free_port() + "\"\n";
    const Ran none = doctor(with_key(dns), {"--json"});
    const auto has = [](const Ran& ran, const char* check, const char* result) {
        const auto findings = boost::json::parse(ran.out).as_array();
        return std::any_of(findings.begin(), findings.end(), [&](const auto& one) {
            return one.at("check") == check && one.at("result") == result;
        });
    };
    EXPECT_TRUE(has(none, "conf", "good"));
    EXPECT_TRUE(has(none, "clients", "warning"));
    EXPECT_TRUE(has(none, "key", "good"));
    EXPECT_TRUE(has(none, "server", "bad"));
    EXPECT_EQ(none.status, 1) << "the server does not answer";
    const Ran one = doctor(
        with_key(dns + "[clients]\n\"90bb4f0c1d2e3a4b5c6d7e8f90a1b2c3\" = \"h.example.org\"\n"),
        {"--json"});
    EXPECT_FALSE(has(one, "clients", "warning"));
}

}  // namespace
}  // namespace sftdyn::commands
