// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/removed_hosts.hpp"

#include <gmock/gmock.h>

#include "server/request_test.hpp"

using testing::IsEmpty;
using testing::SizeIs;

namespace sftdyn::server {
namespace {

class RemovedHostsTest : public RequestTest {
protected:
    RemovedHostsTest() {
        for (int number = 0; number < 600; ++number) {
            names.push_back("h" + std::to_string(number) + ".dyn.example.org");
            all.push_back(host(names.back()));
            served(number) = {"abcd"};
        }
    }
    std::vector<std::string>& served(int number) {
        return backend.served(dns::Name::parse(names[static_cast<std::size_t>(number)]).value(),
                              dns::Type::a);
    }
    void take_out(int number, std::vector<update::HostId>& from) {
        std::erase(from, all[static_cast<std::size_t>(number)]);
    }

    std::vector<std::string> names;
    std::vector<update::HostId> all;
    RemovedHosts removed{updates, hosts};
};

TEST_F(RemovedHostsTest, WhatIsTakenOutLosesItsRecords) {
    removed.configure(all, true);
    auto fewer = all;
    take_out(7, fewer);
    removed.configure(fewer, true);
    run();
    EXPECT_THAT(served(7), IsEmpty());
    EXPECT_THAT(served(8), SizeIs(1));
    EXPECT_THAT(lines(), testing::Contains(testing::HasSubstr("h7.dyn.example.org A: removed")));
    removed.configure(fewer, true);
    run();
    EXPECT_THAT(served(8), SizeIs(1));
}

TEST_F(RemovedHostsTest, UnlessItIsKept) {
    removed.configure(all, false);
    removed.configure({}, false);
    run();
    EXPECT_THAT(served(7), SizeIs(1));
    removed.configure(all, true);
    run();
    EXPECT_THAT(served(7), SizeIs(1));
}

TEST_F(RemovedHostsTest, SomeAtATimeAndWhoComesBackKeepsThem) {
    removed.configure(all, true);
    removed.configure({}, true);
    io.poll();
    EXPECT_EQ(updates.waiting(), 500U);
    removed.configure({all[599]}, true);
    run();
    EXPECT_THAT(served(0), IsEmpty());
    EXPECT_THAT(served(598), IsEmpty());
    EXPECT_THAT(served(599), SizeIs(1));
}

}  // namespace
}  // namespace sftdyn::server
