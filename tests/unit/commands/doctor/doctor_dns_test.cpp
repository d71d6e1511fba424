// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <thread>

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
using testing::HasSubstr;
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

/// A resolver that answers one question: with an RCODE, and with a record or without.
class Resolver {
public:
    Resolver(unsigned char rcode, bool has_record)
        : socket_(io_, {asio::ip::address_v4::loopback(), 0}), thread_([=, this] {
              std::array<unsigned char, 512> message{};
              udp::endpoint client;
              std::size_t size = socket_.receive_from(asio::buffer(message), client);
              message[2] |= 0x80;  // QR (RFC 1035 §4.1.1)
              message[3] = static_cast<unsigned char>(0x80U | rcode);
              // No EDNS comes back.
              message[10] = message[11] = 0;
              std::size_t end = 12;
              while (message[end] != 0) end += message[end] + 1U;
              size = end + 5;
              if (has_record) {
                  message[7] = 1;
                  // The question's name, NS, IN, TTL 60: "ns" below it.
                  constexpr std::array<unsigned char, 17> record{
                      0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, 5, 2, 0x6e, 0x73, 0xc0, 12};
                  size = static_cast<std::size_t>(
                      std::copy(record.begin(), record.end(), message.begin() + size) -
                      message.begin());
              }
              socket_.send_to(asio::buffer(message.data(), size), client);
          }) {}
    ~Resolver() { thread_.join(); }
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    [[nodiscard]] std::string address() const {
        return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
    }

private:
    asio::io_context io_{};
    udp::socket socket_;
    std::thread thread_;
};

std::vector<std::string> delegation(const std::string& resolver) {
    Patient patient;
    patient.resolver = resolver;
    Findings findings;
    look_at_delegation(patient, name("dyn.example.org"), findings);
    return texts_of(findings);
}

TEST(DoctorDelegation, TheWorldFindsTheZone) {
    const Resolver resolver(0, true);
    EXPECT_THAT(delegation(resolver.address()),
                ElementsAre("good delegation: the world finds dyn.example.org"));
}

TEST(DoctorDelegation, TheWorldDoesNot) {
    const auto lost = ElementsAre(
        "warning delegation: the world does not find dyn.example.org; the zone above must delegate "
        "it: dyn.example.org NS name-of-this-server, at whoever serves example.org");
    const Resolver unknown(3, false);  // NXDOMAIN
    EXPECT_THAT(delegation(unknown.address()), lost);
    const Resolver empty(0, false);
    EXPECT_THAT(delegation(empty.address()), lost);
}

TEST(DoctorDelegation, AResolverThatCanNotBeAskedSaysNothingOfTheZone) {
    const auto skipped =
        ElementsAre("skipped delegation: no resolver could be asked how the world sees the zone");
    for (const char* none : {"resolver.example.org", "::1", "127.0.0.1:0"})
        EXPECT_THAT(delegation(none), skipped) << none;
    const Resolver refuses(5, false);
    EXPECT_THAT(delegation(refuses.address()), skipped);
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
