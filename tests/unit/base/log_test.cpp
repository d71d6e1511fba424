// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.hpp"

#include <gtest/gtest.h>

using sftdyn::base::log::printable;
using sftdyn::base::log::terminal_safe;

TEST(Printable, KeepsPlainText) {
    EXPECT_EQ(printable("host-1.example.org"), "host-1.example.org");
}
TEST(Printable, EscapesWhatCouldForgeALine) {
    EXPECT_EQ(printable("a\nb\x1b[0m\\\x7f"), "a\\x0ab\\x1b[0m\\x5c\\x7f");
}
TEST(Printable, EscapesNonAscii) { EXPECT_EQ(printable("\xc3\xa4"), "\\xc3\\xa4"); }

TEST(TerminalSafe, KeepsText) {
    for (const char* text : {"", "plain ~ \\ text", "tab\there",
                             "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82", "two\n    lines", "end\n"})
        EXPECT_EQ(terminal_safe(text), text);
}
TEST(TerminalSafe, EscapesControls) {
    for (unsigned code = 0; code < 0x20; ++code) {
        if (code == '\t' || code == '\n') continue;
        const std::string safe = terminal_safe(std::string("a") + static_cast<char>(code) + "b");
        EXPECT_EQ(safe.substr(0, 3), "a\\x") << code;
        EXPECT_EQ(safe.size(), 6U);
    }
    EXPECT_EQ(terminal_safe("\x7f"), "\\x7f");
    EXPECT_EQ(terminal_safe("\xc2\x9b"), "\\xc2\\x9b");  // C1: CSI
    EXPECT_EQ(terminal_safe("\xc2\x80\xc2\x9f\xc2\xa0"), "\\xc2\\x80\\xc2\\x9f\xc2\xa0");
}
TEST(TerminalSafe, EscapesDirections) {
    for (const char* text :
         {"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9",
          "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xef\xbb\xbf"})
        EXPECT_EQ(terminal_safe(text)[0], '\\');
}
TEST(TerminalSafe, EscapesWhatIsNoUtf8) {
    EXPECT_EQ(terminal_safe("\x9b"
                            "31m"),
              "\\x9b31m");                               // C1 as one octet
    EXPECT_EQ(terminal_safe("\xc0\x8a"), "\\xc0\\x8a");  // a line end, too long
    EXPECT_EQ(terminal_safe("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");
    EXPECT_EQ(terminal_safe("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
    EXPECT_EQ(terminal_safe("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
    EXPECT_EQ(terminal_safe("\xc3"), "\\xc3");
    EXPECT_EQ(terminal_safe("\xe2\x82"), "\\xe2\\x82");
    EXPECT_EQ(terminal_safe(std::string_view("a\0b", 3)), "a\\x00b");
}
TEST(TerminalSafe, FurtherLinesLookLikeNone) {
    EXPECT_EQ(terminal_safe("one\n2026-01-01 error: forged"), "one\n    2026-01-01 error: forged");
    EXPECT_EQ(terminal_safe("one\r\ntwo"), "one\\x0d\n    two");
}
