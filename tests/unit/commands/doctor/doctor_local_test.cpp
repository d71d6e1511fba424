// SPDX-License-Identifier: GPL-3.0-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/system_user.hpp"
#include "commands/doctor/doctor.hpp"
#include "commands/run_command.hpp"
#include "commands/unix_server.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

namespace ip = boost::asio::ip;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Level = Finding::Level;

class DoctorLocalTest : public testing::Test {
protected:
    DoctorLocalTest() {
        chmod(folder.path().c_str(), 0755);
        patient.loaded.conf = write("c.toml", "http = 81\n", 0600);
        patient.user = base::find_user(geteuid())->name;
    }

    std::string write(const std::string& name, const std::string& text, mode_t mode) const {
        const std::string path = folder.write(name, text);
        chmod(path.c_str(), mode);
        return path;
    }
    [[nodiscard]] std::string write_key() const {
        return write("ns.key",
                     "key \"k\" { algorithm hmac-sha256; secret "
                     "\"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmU=\"; };\n",
                     0600);
    }
    /// "LEVEL check: what" of each finding.
    [[nodiscard]] std::vector<std::string> found_by(void (*look)(const Patient&, Findings&)) const {
        static constexpr const char* words[] = {"good", "note", "skipped", "warning", "bad"};
        Findings findings;
        look(patient, findings);
        std::vector<std::string> out;
        for (const auto& one : findings)
            out.push_back(std::string(words[static_cast<std::size_t>(one.level)]) + ' ' +
                          one.check + ": " + one.what +
                          (one.remedy.empty() ? "" : "; " + one.remedy));
        return out;
    }

    const TemporaryFolder folder;
    Patient patient{};
    config::Settings& settings = patient.loaded.settings;
};

TEST_F(DoctorLocalTest, AKeyThatCanBeReadIsGood) {
    settings.dns.key_file = write_key();
    EXPECT_THAT(found_by(look_at_files),
                ElementsAre("good key: " + *settings.dns.key_file + " holds a key"));
}

TEST_F(DoctorLocalTest, AKeyThatIsNotThereOrNone) {
    settings.dns.key_file = folder / "none.key";
    EXPECT_THAT(found_by(look_at_files),
                ElementsAre("bad key: " + (folder / "none.key") +
                            ": there is no such file; name the right file with nskeyfile, or make "
                            "it: tsig-keygen sftdyn"));
    settings.dns.key_file = write("no.key", "nonsense", 0600);
    EXPECT_THAT(found_by(look_at_files),
                ElementsAre(StartsWith("bad key: " + (folder / "no.key"))));
}

TEST_F(DoctorLocalTest, AZonesKeyIsLookedAtToo) {
    settings.dns.key_file = write_key();
    settings.zones.emplace_back().key_file = folder / "of-zone.key";
    EXPECT_THAT(found_by(look_at_files),
                ElementsAre(StartsWith("good key: "), HasSubstr("of-zone.key: there is no such")));
}

TEST_F(DoctorLocalTest, WhatTheServicesUserMayNotRead) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    settings.dns.key_file = write_key();
    patient.user = "daemon";
    EXPECT_THAT(found_by(look_at_files),
                ElementsAre(StartsWith("bad conf: " + patient.loaded.conf +
                                       ": the user daemon may not read it; chgrp daemon "),
                            StartsWith("bad key: " + *settings.dns.key_file +
                                       ": the user daemon may not read it; chgrp daemon "),
                            StartsWith("good key: ")));
}

TEST_F(DoctorLocalTest, NamedFilesAndWeakSecretsAreTold) {
    settings.dns.key_file = write_key();
    settings.admin.hook = {"/no/such/program"};
    chmod(patient.loaded.conf.c_str(), 0644);
    EXPECT_THAT(found_by(look_at_files),
                ElementsAre(StartsWith("good key: "),
                            StartsWith("bad hook: /no/such/program: [admin] hook can't be run"),
                            StartsWith("warning conf: " + patient.loaded.conf)));
}

TEST_F(DoctorLocalTest, ACertificateIsGoodUntilItIsDueSoon) {
    const auto make = [&](const char* days) {
        const TemporaryFolder other;
        EXPECT_EQ(
            run_command({"cert", "--dir", other.path(), "dyn.example.org", "--days", days}).status,
            0);
        settings.cert = write("c.crt", text_of_file(other / "server.crt"), 0644);
        settings.key = write("c.key", text_of_file(other / "server.key"), 0600);
    };
    EXPECT_THAT(found_by(look_at_certificates), IsEmpty());
    make("16");
    EXPECT_THAT(found_by(look_at_certificates),
                ElementsAre(AllOf(StartsWith("good certificate: " + (folder / "c.crt") +
                                             " is for dyn.example.org, and valid for 1"),
                                  EndsWith(" days"))));
    make("13");
    EXPECT_THAT(found_by(look_at_certificates),
                ElementsAre(AllOf(StartsWith("warning certificate: " + (folder / "c.crt") +
                                             " is for dyn.example.org, and valid for 1"),
                                  EndsWith(" days; renew it"))));
}

TEST_F(DoctorLocalTest, ACertificateWithoutANameIsRefusedByClients) {
    ASSERT_EQ(run_command({"cert", "--dir", folder.path(), "192.0.2.1"}).status, 0);
    settings.cert = folder / "server.crt";
    settings.key = folder / "server.key";
    EXPECT_THAT(found_by(look_at_certificates),
                ElementsAre(HasSubstr("server.crt is for no name, and valid for 133"),
                            HasSubstr("server.crt has no name in subjectAltName; clients refuse")));
    settings.key = folder / "none.key";
    const auto missing = found_by(look_at_certificates);
    ASSERT_EQ(missing.size(), 2U);
    for (const auto& one : missing) EXPECT_THAT(one, StartsWith("bad certificate: "));
}

TEST_F(DoctorLocalTest, AListenersPortIsFreeOrSomebodys) {
    boost::asio::io_context io;
    settings.http = {*config::parse_listen("127.0.0.1:0")};
    EXPECT_THAT(found_by(look_at_listeners),
                ElementsAre("good listener: http://127.0.0.1:0 is free to listen on"));
    const ip::tcp::acceptor taken(io, {ip::address_v4::loopback(), 0});
    const std::string place = "127.0.0.1:" + std::to_string(taken.local_endpoint().port());
    settings.http.clear();
    settings.https = {*config::parse_listen(place)};
    EXPECT_THAT(
        found_by(look_at_listeners),
        ElementsAre("bad listener: https://" + place + ": test_commands (process " +
                    std::to_string(getpid()) + ") listens there; stop it, or choose another port"));
    settings.https = {*config::parse_listen("192.0.2.1:0")};
    EXPECT_THAT(found_by(look_at_listeners),
                ElementsAre(HasSubstr("bad listener: https://192.0.2.1:0: Cannot assign")));
}

TEST_F(DoctorLocalTest, AUnixSocketsFolderMustBeThere) {
    settings.http = {*config::parse_listen("unix:" + (folder / "socket")),
                     *config::parse_listen("unix:" + (folder / "none/socket"))};
    EXPECT_THAT(found_by(look_at_listeners),
                ElementsAre("good listener: unix:" + (folder / "socket") + ": its folder is there",
                            "bad listener: unix:" + (folder / "none/socket") +
                                ": its folder is not there; make " + (folder / "none")));
}

TEST_F(DoctorLocalTest, LimitsThatAreUnusualAreNamed) {
    settings.connections = 1;
    EXPECT_THAT(found_by(look_at_limits), IsEmpty());
    settings.dns.ttl = 3600;
    settings.timeout = std::chrono::seconds(1);
    EXPECT_THAT(found_by(look_at_limits), IsEmpty());
    settings.dns.ttl = 3601;
    settings.timeout = std::chrono::milliseconds(999);
    settings.connections = 1'000'000'000'000;
    EXPECT_THAT(
        found_by(look_at_limits),
        ElementsAre(StartsWith("warning limits: "), StartsWith("note limits: the TTL is 3601 s"),
                    StartsWith("warning limits: requests are given up after 999 ms")));
}

TEST_F(DoctorLocalTest, WhatTheRunningProgramHasNoticedIsHandedOn) {
    settings.admin.control = folder / "control";
    EXPECT_THAT(found_by(look_at_running), IsEmpty()) << "it does not run";
    const auto told = [&](const std::string& text) {
        const UnixServer server(folder / "control", text);
        auto out = found_by(look_at_running);
        std::filesystem::remove(folder / "control");
        return out;
    };
    const std::string warnings =
        R"("warnings":[{"check":"clock","what":"it is late","mend":"set it"}])";
    EXPECT_THAT(told("{\"conf\":\"" + patient.loaded.conf + "\"," + warnings + "}"),
                ElementsAre("warning clock: the running sftdyn: it is late; set it"));
    EXPECT_THAT(told("{\"conf\":\"/another.toml\"," + warnings + "}"), IsEmpty());
    for (const std::string& text :
         {std::string("no JSON"), std::string("[]"), std::string("{}"),
          "{\"conf\":\"" + patient.loaded.conf + "\",\"warnings\":7}",
          "{\"conf\":\"" + patient.loaded.conf + "\",\"warnings\":[7,{\"check\":1}]}"})
        EXPECT_THAT(told(text), IsEmpty()) << text;
}

}  // namespace
}  // namespace sftdyn::commands
