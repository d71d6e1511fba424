// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/running.hpp"

#include <gmock/gmock.h>

#include "commands/unix_server.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

TEST(Running, AnAnswerIsReadToItsEnd) {
    const TemporaryFolder folder;
    const std::string text(300000, 'x');
    const UnixServer server(folder / "control", text);
    EXPECT_EQ(ask_control(folder / "control").value(), text);
}

}  // namespace
}  // namespace sftdyn::commands
