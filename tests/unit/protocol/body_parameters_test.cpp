// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/body_parameters.hpp"

#include <gtest/gtest.h>

namespace sftdyn::protocol {
namespace {

/// "name=value" of each parameter; "malformed".
std::string read_body(std::string_view body) {
    Parameters parameters;
    if (!add_body(body, parameters)) return "malformed";
    std::string out;
    for (const auto& one : parameters.all()) out += one.name + '=' + one.value + ' ';
    return out;
}

TEST(BodyParameters, AForm) {
    EXPECT_EQ(read_body(""), "");
    EXPECT_EQ(read_body("a=1&b=%41+c"), "a=1 b=A c ");
    EXPECT_EQ(read_body("text"), "malformed");
}

TEST(BodyParameters, AJsonObject) {
    EXPECT_EQ(read_body("{}"), "");
    EXPECT_EQ(read_body(" {\"a\" : \"x\\u0041\\n\", \"b\": \"\"} "), "a=xA\n b= ");
    EXPECT_EQ(read_body("{\"a\":true,\"b\":12}"), "a=true b=12 ");
    for (const char* bad :
         {"{", "{]", "{\"a\":}", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":\"\\ud800\"}", "{} x"})
        EXPECT_EQ(read_body(bad), "malformed") << bad;
}

TEST(BodyParameters, AMultipartForm) {
    const std::string begin = "--b\r\nContent-Disposition: form-data; name=\"";
    EXPECT_EQ(read_body(begin + "a\"\r\n\r\n1\r\n" + begin + "b\"\r\n\r\n\r\n--b--\r\n"),
              "a=1 b= ");
    for (const auto& bad : {std::string("--b"), begin + "a\"", begin + "a\"\r\n\r\n1",
                            std::string("--b\r\nX: y\r\n\r\n1\r\n--b--")})
        EXPECT_EQ(read_body(bad), "malformed") << bad;
}

TEST(BodyParameters, MoreThanAreReadAreNoticed) {
    std::string body = "{";
    for (std::size_t i = 0; i <= Parameters::most; ++i)
        body += (i == 0 ? "\"p" : ",\"p") + std::to_string(i) + "\":\"\"";
    Parameters parameters;
    static_cast<void>(add_body(body + "}", parameters));
    EXPECT_TRUE(parameters.too_many());
    EXPECT_EQ(parameters.all().size(), Parameters::most);
}

}  // namespace
}  // namespace sftdyn::protocol
