// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/shared_library.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <optional>

#include <gmock/gmock.h>

namespace sftdyn::base {
namespace {

using testing::HasSubstr;

TEST(SharedLibrary, SaysWhatIsMissing) {
    SharedLibrary none("libno-such-library.so.0");
    EXPECT_FALSE(none.is_loaded());
    EXPECT_THAT(none.error(), HasSubstr("libno-such-library"));
    EXPECT_EQ(none.function<int()>("getpid"), nullptr);
    EXPECT_THAT(none.error(), HasSubstr("libno-such-library"));
    SharedLibrary c("libc.so.6");
    ASSERT_TRUE(c.is_loaded());
    EXPECT_EQ(c.error(), "");
    EXPECT_EQ(c.function<int()>("no_such_function"), nullptr);
    EXPECT_THAT(c.error(), HasSubstr("no_such_function"));
}

TEST(SharedLibrary, ItsFunctionsAreCalledAndStay) {
    int (*function)() = nullptr;
    {
        SharedLibrary c("libc.so.6");
        function = c.function<int()>("getpid");
    }
    ASSERT_NE(function, nullptr);
    EXPECT_EQ(function(), getpid());
}

TEST(SharedLibrary, ItsNamesAreForOthersOnlyWhereItIsSaid) {
    // Nothing here is linked with it.
    constexpr const char* name = "libcrypt.so.1";
    ASSERT_EQ(dlsym(RTLD_DEFAULT, "crypt_gensalt"), nullptr);
    SharedLibrary local(name);
    if (!local.is_loaded()) GTEST_SKIP() << local.error();
    EXPECT_NE(local.function<void()>("crypt_gensalt"), nullptr);
    EXPECT_EQ(dlsym(RTLD_DEFAULT, "crypt_gensalt"), nullptr);
    const SharedLibrary global(name, SharedLibrary::Symbols::global);
    EXPECT_NE(dlsym(RTLD_DEFAULT, "crypt_gensalt"), nullptr);
}

}  // namespace
}  // namespace sftdyn::base
