// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/own_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "base/folder_walk.hpp"
#include "base/system_error.hpp"
#include "base/system_user.hpp"

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;

std::string name_of_user(uid_t uid) {
    const auto user = find_user(uid);
    return user ? user->name : fmt::format("the user with the number {}", uid);
}

/// Why the file must not be used; `nullopt` when it may be.
std::optional<Error> fault_of(const struct stat& status, int folder, const fs::path& path,
                              const std::string& remedy) {
    const std::string file = path.string();
    const std::string away = "move it away first, or " + remedy;
    if (!S_ISREG(status.st_mode))
        return Error{"already exists, and is not a regular file", file, away};
    if (status.st_uid != geteuid())
        return Error{fmt::format("already exists, and is not used: it belongs to {}, not to {}",
                                 name_of_user(status.st_uid), name_of_user(geteuid())),
                     file, away};
    if ((status.st_mode & 0022) != 0)
        return Error{"already exists, and is not used: others may write to it", file,
                     fmt::format("if it is still yours, chmod go-w {}; else {}", file, away)};
    if (!is_ours_alone(folder))
        return Error{
            "already exists, and is not used: others may write to its folder, and could have "
            "put it there",
            file, away};
    return std::nullopt;
}

Error unreadable(const fs::path& path, int error, const std::string& remedy) {
    if (error == ELOOP)
        return {"already exists, and is a symbolic link, which is not followed", path.string(),
                "move it away first, or " + remedy};
    return {std::string("already exists, and can't be read: ") + system_error_text(error),
            path.string(), "move it away first, or " + remedy};
}

}  // namespace

Result<std::optional<Secret>> read_own_file(const fs::path& path, std::size_t largest,
                                            const std::string& remedy) {
    const auto folder = walk_to_folder(folder_of(path), MissingFolders::refuse, remedy);
    if (folder.has_error()) return folder.error();
    const Descriptor file(openat(folder->get(), path.filename().c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file && errno == ENOENT) return std::optional<Secret>();
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0) return unreadable(path, errno, remedy);
    if (auto fault = fault_of(status, folder->get(), path, remedy)) return *std::move(fault);

    std::string text(largest + 1, '\0');
    std::size_t have = 0;
    ssize_t size = 0;
    while (have < text.size() &&
           ((size = read(file.get(), text.data() + have, text.size() - have)) > 0 ||
            (size < 0 && errno == EINTR)))
        have += size > 0 ? static_cast<std::size_t>(size) : 0;
    const int error = size < 0 ? errno : have > largest ? EFBIG : 0;
    text.resize(have);
    Secret whole(text);
    zeroize(text);
    if (error != 0) return unreadable(path, error, remedy);
    return std::optional(std::move(whole));
}

}  // namespace sftdyn::base
