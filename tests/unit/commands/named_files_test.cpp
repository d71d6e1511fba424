// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/named_files.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class NamedFilesTest : public testing::Test {
protected:
    [[nodiscard]] std::vector<std::string> faults() const {
        std::vector<std::string> out;
        for (const auto& [subject, error] : faults_of_named_files(settings))
            out.push_back(std::string(subject) + " " + error.text());
        return out;
    }
    const TemporaryFolder folder;
    config::Settings settings{};
};

TEST_F(NamedFilesTest, NothingNamedIsNoFault) { EXPECT_THAT(faults(), IsEmpty()); }

TEST_F(NamedFilesTest, AHookIsAProgram) {
    const std::string program = folder.write("notify", "#!/bin/sh\n");
    settings.admin.event_command = {program, "/no/such/argument"};
    chmod(program.c_str(), 0600);
    EXPECT_THAT(faults(),
                ElementsAre("event-command " + program +
                            ": [admin] event_command can't be run: nobody may execute it; chmod "
                            "a+x " +
                            program));
    for (const mode_t mode : {0700U, 0610U, 0601U}) {
        chmod(program.c_str(), mode);
        EXPECT_THAT(faults(), IsEmpty()) << std::oct << mode;
    }
    settings.admin.event_command = {folder.path()};
    EXPECT_THAT(faults(),
                ElementsAre(HasSubstr("is not a program but a folder or another kind of file")));
    settings.admin.event_command = {folder / "none"};
    EXPECT_THAT(faults(),
                ElementsAre(HasSubstr(
                    "can't be run: No such file or directory; give the program's full path")));
}

TEST_F(NamedFilesTest, AStateIsAFolderOrNotThereYet) {
    settings.admin.state = folder.path();
    EXPECT_THAT(faults(), IsEmpty());
    settings.admin.state = folder / "none";
    EXPECT_THAT(faults(), IsEmpty());
    settings.admin.state = folder.write("file", "");
    EXPECT_THAT(faults(), ElementsAre(HasSubstr("state " + (folder / "file") +
                                                ": [admin] state is not a folder")));
}

}  // namespace
}  // namespace sftdyn::commands
