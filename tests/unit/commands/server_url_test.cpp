// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/server_url.hpp"

#include <gmock/gmock.h>

namespace sftdyn::commands {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ServerUrl, NamesAddressesPortsAndPaths) {
    for (const char* url : {"http://h", "https://dyn.example.org", "https://dyn.example.org:4443",
                            "http://192.0.2.1:1", "http://[2001:db8::1]",
                            "http://[2001:db8::1]:65535", "https://h/", "https://h:1/a/b-._~/"})
        EXPECT_EQ(fault_of_server_url(url), "") << url;
}

struct WrongUrl {
    const char* url;
    const char* fault;
};

class WrongServerUrl : public testing::TestWithParam<WrongUrl> {};

TEST_P(WrongServerUrl, IsToldWithAnExample) {
    const std::string fault = fault_of_server_url(GetParam().url);
    EXPECT_THAT(fault, StartsWith(GetParam().fault)) << GetParam().url;
    EXPECT_THAT(fault, HasSubstr("; expected for example https://dyn.example.org:4443"));
}

constexpr const char* no_scheme = "this is no URL with http:// or https://";
constexpr const char* no_port = "the port is not a number from 1 to 65535";
constexpr const char* no_host = "the server has no valid name or address";
constexpr const char* no_path = "the path may hold letters, digits and -._~/ only";

INSTANTIATE_TEST_SUITE_P(
    Urls, WrongServerUrl,
    testing::Values(WrongUrl{"", no_scheme}, WrongUrl{"h", no_scheme},
                    WrongUrl{"ftp://h", no_scheme}, WrongUrl{"HTTP://h", no_scheme},
                    WrongUrl{"http:/h", no_scheme}, WrongUrl{"http", no_scheme},
                    WrongUrl{"http://h:", no_port}, WrongUrl{"http://h:0", no_port},
                    WrongUrl{"http://h:65536", no_port}, WrongUrl{"http://h:8x", no_port},
                    WrongUrl{"http://user:p@h", no_port}, WrongUrl{"http://", no_host},
                    WrongUrl{"http:///p", no_host}, WrongUrl{"http://:80", no_host},
                    WrongUrl{"http://user@h", no_host}, WrongUrl{"http://*.h", no_host},
                    WrongUrl{"http://[192.0.2.1]", no_host}, WrongUrl{"http://[::1", no_host},
                    WrongUrl{"http://h?a", no_host}, WrongUrl{"http://h/a b", no_path},
                    WrongUrl{"http://h/?a", no_path}, WrongUrl{"http://h/'", no_path},
                    WrongUrl{"http://h/$(id)", no_path}, WrongUrl{"http://h/%41", no_path},
                    WrongUrl{"http://h/\n", no_path}));

}  // namespace
}  // namespace sftdyn::commands
