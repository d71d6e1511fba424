// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_syntax.hpp"

#include <gmock/gmock.h>

#include "config/toml_text.hpp"

namespace sftdyn::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class TomlSyntax : public testing::TestWithParam<WrongText> {};

TEST_P(TomlSyntax, IsExplained) {
    const auto& [name, text, start, remedy] = GetParam();
    EXPECT_THAT(ReadText(text).said,
                ElementsAre(AllOf(HasSubstr(std::string(": ") + start), HasSubstr(remedy),
                                  HasSubstr("(https://toml.io)"))));
}

INSTANTIATE_TEST_SUITE_P(
    Explanations, TomlSyntax,
    testing::Values(
        WrongText{"TwiceInATable", "[dns]\nttl = 1\nttl = 2\n", "this name already exists",
                  "keep one of them"},
        WrongText{"ATableTwice", "[dns]\n[dns]\n", "this name already exists", "keep one of them"},
        WrongText{"NotUtf8", "uptodate = \"\xff\"\n", "this is not UTF-8",
                  "save the file as UTF-8"},
        WrongText{"ATextThatGoesOn", "uptodate = \"OK\n", "something is not closed here",
                  "a text ends in its own line"},
        WrongText{"AListThatGoesOn", "http = [\"8080\"", "something is not closed here",
                  "a list and a table end with their bracket"},
        WrongText{"NoEqualsSign", "http \"8080\"\n", "there is no = after the name",
                  "write name = \"value\""},
        WrongText{"NoQuotationMarks", "uptodate = OK\n", "this is not a value",
                  "every text in straight quotation marks"},
        WrongText{"ACurlyMarkForAKey", "[clients]\n“k” = “a.example.org”\n",
                  "this is a curly quotation mark", "write straight ones"},
        WrongText{"ACurlyMarkForAValue", "# ü\nuptodate = „OK“\n", "this is a curly quotation mark",
                  "write straight ones"},
        WrongText{"AZeroInFront", "http = 0080\n", "this is not a value",
                  "write numbers as they are"},
        WrongText{"NoValue", "http =\n", "this is not a value", "write numbers as they are"},
        WrongText{"NoName", "[.a]\n", "no name begins here", "takes quotation marks"},
        WrongText{"TwoInOneLine", "http = 80 https = 443\n", "the line continues after",
                  "in a line of its own"},
        WrongText{"AnythingElse", "= 80\n", "this is not allowed here",
                  "each line is a setting (name = value), a client"},
        WrongText{"ABackslash", "uptodate = \"a\\qb\"\n", "a backslash has no meaning here",
                  "write \\\\ for a backslash"}),
    [](const auto& row) { return row.param.name; });

TEST(TomlSyntaxError, NothingOfTheTextIsHandedOn) {
    for (const char* text :
         {"a = secret-of-a-client\n", "secret-of-a-client\n", "\"secret-of-a-client\" \"h\"\n",
          "x = \"secret-of-a-client\n", "secret-of-a-client = 1\nsecret-of-a-client = 2\n"}) {
        try {
            static_cast<void>(toml::parse(text));
            ADD_FAILURE() << text;
        } catch (const toml::parse_error& error) {
            const base::Error explained = explain_syntax(error, text);
            EXPECT_THAT(explained.text(), testing::Not(HasSubstr("secret-of"))) << text;
            EXPECT_EQ(explained.where, "") << "the place is the error's";
            EXPECT_FALSE(explained.remedy.empty());
        }
    }
}

}  // namespace
}  // namespace sftdyn::config
