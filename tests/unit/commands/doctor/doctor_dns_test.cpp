// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "commands/doctor/doctor.hpp"
#include "names.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using testing::ElementsAre;
using testing::StartsWith;

/// "LEVEL check: what; mend" of each.
std::vector<std::string> texts_of(const Findings& findings) {
    static constexpr const char* words[] = {"good", "note", "skipped", "warning", "bad"};
    std::vector<std::string> out;
    for (const auto& one : findings)
        out.push_back(std::string(words[static_cast<std::size_t>(one.level)]) + ' ' + one.check +
                      ": " + one.what + (one.remedy.empty() ? "" : "; " + one.remedy));
    return out;
}

class DoctorDnsTest : public testing::Test {
protected:
    DoctorDnsTest() {
        settings.dns.key_file = folder.write("ns.key",
                                             "key \"k\" { algorithm hmac-sha256; secret "
                                             "\"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmU=\"; };\n");
    }
    [[nodiscard]] std::vector<std::string> looked() const {
        Findings findings;
        look_at_dns(patient, findings);
        return texts_of(findings);
    }
    /// An address of this machine where nobody answers.
    static dns::ServerAddress nobody() {
        asio::io_context io;
        const udp::socket socket(io, {asio::ip::address_v4::loopback(), 0});
        return {asio::ip::address_v4::loopback(), socket.local_endpoint().port()};
    }

    const TemporaryFolder folder;
    Patient patient{};
    config::Settings& settings = patient.loaded.settings;
};

TEST_F(DoctorDnsTest, EachServerThatDoesNotAnswerIsNamed) {
    settings.dns.servers = {nobody(), nobody()};
    settings.zones.push_back({name("a.org"), {nobody()}, settings.dns.key_file});
    EXPECT_THAT(looked(),
                ElementsAre(StartsWith("bad server: " + text_of(settings.dns.servers[0])),
                            StartsWith("bad server: " + text_of(settings.dns.servers[1])),
                            StartsWith("bad server: " + text_of(settings.zones[0].servers[0]))));
}

TEST_F(DoctorDnsTest, WithoutAKeyNothingIsAsked) {
    settings.dns.servers = {nobody()};
    settings.dns.key_file = folder / "none.key";
    const auto said = looked();
    ASSERT_EQ(said.size(), 1U);
    EXPECT_THAT(said[0], StartsWith("bad key: "));
}

}  // namespace
}  // namespace sftdyn::commands
