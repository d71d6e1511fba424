// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/socket_activation.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "child_process.hpp"

namespace sftdyn::platform {
namespace {

/// What a process that systemd starts so says of its sockets.
std::string passed(const char* count, const char* names, bool to_another = false) {
    return in_child([&] {
        for (const int descriptor : {3, 4}) dup2(socket(AF_INET, SOCK_STREAM, 0), descriptor);
        setenv("LISTEN_PID", std::to_string(to_another ? getppid() : getpid()).c_str(), 1);
        if (count != nullptr) setenv("LISTEN_FDS", count, 1);
        if (names != nullptr) setenv("LISTEN_FDNAMES", names, 1);
        std::string out;
        for (const auto& [descriptor, name] : passed_sockets()) {
            const bool closes = (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
            out += std::to_string(descriptor) + ' ' + name + (closes ? "" : " stays open") + '\n';
        }
        for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
            if (getenv(variable) != nullptr && count != nullptr && !to_another)
                out += std::string(variable) + " is for children too\n";
        }
        return out;
    });
}

TEST(SocketActivation, EachSocketHasItsUnitsName) {
    EXPECT_EQ(passed("2", "web:https-proxy"), "3 web\n4 https-proxy\n");
    EXPECT_EQ(passed("1", "https"), "3 https\n");
    EXPECT_EQ(passed("1", ""), "3 \n") << "a name may be empty";
    EXPECT_EQ(passed("2", nullptr), "3 unknown\n4 unknown\n");
}

TEST(SocketActivation, WithoutSystemdThereAreNone) {
    EXPECT_EQ(passed(nullptr, nullptr), "");
    EXPECT_EQ(passed("0", nullptr), "");
    EXPECT_EQ(passed("nonsense", nullptr), "");
}

TEST(SocketActivation, AnothersAreNotTaken) { EXPECT_EQ(passed("2", "a:b", true), ""); }

}  // namespace
}  // namespace sftdyn::platform
