// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/convert.hpp"

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

TEST(ConvertCommand, TomlIsNotConverted) {
    const TemporaryFolder folder;
    const std::string toml = folder.write("c.toml", "http = 81\n");
    const Ran ran = run_command({"convert", toml});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.err, toml + ": this is TOML already\n");
    EXPECT_EQ(ran.out, "");
    const Ran none = run_command({"convert", folder / "none"});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.err, testing::HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace sftdyn::commands
