#include "base/new_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

TEST(NewFile, IsMadeWithItsModeAndNeverOverwritten) {
    const std::filesystem::path path = testing::TempDir() + "/new-file-" + std::to_string(getpid());
    ASSERT_FALSE(create_file(path, "text", 0600, "do this").has_error());
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const auto again = create_file(path, "other", 0600, "do this");
    ASSERT_TRUE(again.has_error());
    EXPECT_NE(again.error().text().find("move the old one away first, or do this"), std::string::npos);
    std::ifstream file(path);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "text");
    std::filesystem::remove(path);
}

TEST(NewFile, AFolderThatIsNotThereIsAnError) {
    const auto made = create_file("/no/such/folder/file", "", 0600, "do that");
    ASSERT_TRUE(made.has_error());
    EXPECT_NE(made.error().text().find("do that"), std::string::npos);
}

}  // namespace
}  // namespace sftdyn::base
