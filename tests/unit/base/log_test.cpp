#include "base/log.hpp"

#include <gtest/gtest.h>

using sftdyn::base::log::printable;

TEST(Printable, KeepsPlainText) { EXPECT_EQ(printable("host-1.example.org"), "host-1.example.org"); }
TEST(Printable, EscapesWhatCouldForgeALine) { EXPECT_EQ(printable("a\nb\x1b[0m\\\x7f"), "a\\x0ab\\x1b[0m\\x5c\\x7f"); }
TEST(Printable, EscapesNonAscii) { EXPECT_EQ(printable("\xc3\xa4"), "\\xc3\\xa4"); }
