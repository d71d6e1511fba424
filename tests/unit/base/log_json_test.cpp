// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log_json.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include "base/journal_sink.hpp"
#include "base/log.hpp"
#include "child_process.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::base::log {
namespace {

/// The line, without its end.
std::string json_of(std::string_view text, bool developer = false) {
    spdlog::details::log_msg message("", spdlog::level::warn, {text.data(), text.size()});
    message.time = spdlog::log_clock::time_point(std::chrono::microseconds(1764098391012345));
    message.thread_id = 77;
    spdlog::memory_buf_t line;
    json_formatter(developer)->format(message, line);
    std::string out(line.data(), line.size());
    EXPECT_TRUE(out.ends_with('\n'));
    out.pop_back();
    EXPECT_EQ(out.find('\n'), std::string::npos) << out;
    return out;
}

TEST(LogJson, ALineIsAnObjectWithTheFieldsOfItsScope) {
    EXPECT_EQ(json_of("a \"line\""),
              R"({"time":"2025-11-25T19:19:51.012Z","level":"warning","message":"a \"line\""})");
    const FieldScope scope({{"SFTDYN_HOST", "h.example.org"}, {"SFTDYN_DURATION_USEC", "1234"}});
    EXPECT_EQ(json_of("text"), R"({"time":"2025-11-25T19:19:51.012Z","level":"warning",)"
                               R"("message":"text","host":"h.example.org","duration_usec":1234})");
}

TEST(LogJson, DevelopersGetMicrosecondsAndTheThread) {
    EXPECT_EQ(json_of("text", true), R"({"time":"2025-11-25T19:19:51.012345Z","level":"warning",)"
                                     R"("thread":77,"message":"text"})");
}

/// As a LogThrottle has it that counts.
TEST(LogJson, AFieldWithSeveralValuesIsAList) {
    const FieldScope scope({{"SFTDYN_HOST", "h1"},
                            {"SFTDYN_OUTCOME", "fail"},
                            {"SFTDYN_HOST", "h2"},
                            {"SFTDYN_HOST", "h3"}});
    const auto line = boost::json::parse(json_of("2 more like it"));
    EXPECT_EQ(boost::json::serialize(line.at("host")), R"(["h1","h2","h3"])");
    EXPECT_EQ(line.at("outcome").as_string(), "fail");
}

TEST(LogJson, ADurationThatIsNoNumberIsText) {
    const FieldScope scope(Fields{{"SFTDYN_DURATION_USEC", "12x"}});
    EXPECT_EQ(boost::json::parse(json_of("")).at("duration_usec").as_string(), "12x");
}

/// Boost.JSON writes octets as they are, and reads UTF-8 alone.
TEST(LogJson, EveryLineIsValidWhateverItsOctets) {
    std::string all;
    for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
    const std::string evil[] = {all,
                                "\xff\xfe",
                                "\xc0\x8a",
                                "\xed\xa0\x80",
                                "\xe2\x80\xae\xe2\x82",
                                std::string("a\0b", 3),
                                "one\ntwo\r\n",
                                std::string(1 << 20, '\x9b'),
                                "\xf0\x9f\x99\x82 \\ \" \x1b[31m"};
    for (const std::string& text : evil) {
        const FieldScope scope({{"SFTDYN_HOST", text}, {"SFTDYN_CLIENT", text}});
        boost::system::error_code error;
        const auto line = boost::json::parse(json_of(text), error);
        ASSERT_FALSE(error) << printable(text.substr(0, 100)) << ": " << error.message();
        EXPECT_EQ(std::string_view(line.at("message").as_string()), terminal_safe(text));
        EXPECT_EQ(std::string_view(line.at("host").as_string()), terminal_safe(text));
    }
}

/// Of what this process writes to standard error.
TEST(LogJson, TheLogIsWrittenInTheFormThatWasChosen) {
    const TemporaryFolder folder;
    const std::string path = folder.write("stderr", "");
    in_child([&] {
        if (std::freopen(path.c_str(), "w", stderr) == nullptr) return std::string();
        unsetenv("JOURNAL_STREAM");
        start(0, false);
        if (format_now() != Format::text) warn("not text");
        warn("first");
        use_format(Format::json);
        if (format_now() != Format::json) warn("not JSON");
        warn("sec\x1bond");
        info("is not written");
        pass_on("another program's");
        adjust(1, false);
        info("third");
        return std::string();
    });
    const std::string text = text_of_file(path);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
        lines.push_back(text.substr(at, text.find('\n', at) - at));
    ASSERT_EQ(lines.size(), 4U) << text;
    EXPECT_THAT(lines[0], testing::EndsWith("warning: first"));
    const auto message = [&](std::size_t number) {
        return std::string(
            std::string_view(boost::json::parse(lines[number]).at("message").as_string()));
    };
    EXPECT_EQ(message(1), "sec\\x1bond");
    EXPECT_EQ(message(2), "another program's");
    EXPECT_EQ(message(3), "third");
}

}  // namespace
}  // namespace sftdyn::base::log
