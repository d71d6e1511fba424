// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/this_machine.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/address_rules.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;

TEST(ThisMachine, NamesThatNobodyElseCanResolveAreNotPublic) {
    for (const char* name : {"vps123", "localhost", "nas.local", "nas.LAN", "a.b.internal",
                             "x.home.arpa", "x.fritz.box", "localhost.localdomain", "x.test"})
        EXPECT_FALSE(is_public_name(name)) << name;
    for (const char* name :
         {"ns.example.org", "vps123.example.net", "a.local.example.org", "mylan.org"})
        EXPECT_TRUE(is_public_name(name)) << name;
}

TEST(ThisMachine, ItsAddressesAreThoseThatAHostCanHave) {
    const auto all = own_addresses();
    EXPECT_LE(all.size(), 2U);
    for (const auto& address : all) {
        EXPECT_FALSE(base::is_nobodys(address)) << address;
        EXPECT_FALSE(address.is_loopback()) << address;
    }
    if (all.size() == 2) {
        EXPECT_TRUE(all[0].is_v4() && all[1].is_v6());
    }
}

class DnsServerHere : public testing::Test {
protected:
    void run(const std::string& program) const {
        const auto process = "proc/" + std::to_string(1000 + program.size());
        fs::create_directories(root / process);
        root.write(process + "/comm", program + "\n");
    }
    void install(const std::string& program) const {
        fs::create_directories(root / "usr/sbin");
        root.write("usr/sbin/" + program, "");
    }
    const TemporaryFolder root;
};

TEST_F(DnsServerHere, NoneIsNone) { EXPECT_EQ(dns_server_here(root.path()), std::nullopt); }

TEST_F(DnsServerHere, OneThatRunsComesBeforeOneThatIsInstalled) {
    install("named");
    EXPECT_EQ(dns_server_here(root.path()), "bind");
    run("knotd");
    EXPECT_EQ(dns_server_here(root.path()), "knot");
}

TEST_F(DnsServerHere, EachIsKnownByItsProgram) {
    install("pdns_server");
    EXPECT_EQ(dns_server_here(root.path()), "powerdns");
    install("knotd");
    EXPECT_EQ(dns_server_here(root.path()), "knot");
    run("nsd");
    EXPECT_EQ(dns_server_here(root.path()), "knot");
    run("named");
    EXPECT_EQ(dns_server_here(root.path()), "bind");
}

}  // namespace
}  // namespace sftdyn::commands
