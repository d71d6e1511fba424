// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/quoted.hpp"

#include <gtest/gtest.h>

#include "platform/subprocess.hpp"

namespace sftdyn::commands::quoted {
namespace {

const char* const texts[] = {"plain", "it's", "'", "$(id) `id` \\ \"", "a;b&c|d<e>f*?[x]{y}~!#",
                             "100%",  "ü ß",  "-n"};

TEST(Quoted, AShellReadsWhatWasMeant) {
    for (const std::string text : texts) {
        EXPECT_EQ(platform::output_of({"sh", "-c", "printf %s " + for_shell(text)}), text);
        // cron takes the backslash from in front of a %, and hands the rest to sh.
        std::string command = for_cron("printf %s " + for_shell(text));
        for (std::size_t at = 0; (at = command.find("\\%", at)) != std::string::npos; ++at)
            command.erase(at, 1);
        EXPECT_EQ(platform::output_of({"sh", "-c", command}), text);
    }
}

TEST(Quoted, NoPercentSignEndsACronLine) { EXPECT_EQ(for_cron("a%20b%"), "a\\%20b\\%"); }

TEST(Quoted, OtherLanguages) {
    EXPECT_EQ(for_curl_file("https://h/a\"b\\c"), "\"https://h/a\\\"b\\\\c\"");
    EXPECT_EQ(for_ddclient("plain-user.name_1"), "plain-user.name_1");
    EXPECT_EQ(for_ddclient("a b,'c\""), "a\\ b\\,\\'c\\\"");
    EXPECT_EQ(for_inadyn("it's ${HOME} \\"), "'it\\'s ${HOME} \\\\'");
}

TEST(Quoted, NamesOfFilesAndInstances) {
    for (const char* plain : {"home", "nas.dyn.example.org", "a_b-c"})
        EXPECT_TRUE(is_plain_name(plain)) << plain;
    for (const char* other : {"", ".", "..", "a/b", "-x", "*.dyn", "a b", "a%n"})
        EXPECT_FALSE(is_plain_name(other)) << other;
}

TEST(Quoted, ControlCharacters) {
    EXPECT_TRUE(has_control_characters("a\nb"));
    EXPECT_TRUE(has_control_characters("\x1b[2J"));
    EXPECT_FALSE(has_control_characters("ü'\""));
}

}  // namespace
}  // namespace sftdyn::commands::quoted
