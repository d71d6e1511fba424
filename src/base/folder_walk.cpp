// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/folder_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <optional>

#include "base/system_error.hpp"

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // in one path, the kernel's limit

Error no_folder(const fs::path& folder, int error, const std::string& remedy) {
    if (error == ENOENT)
        return {"there is no such folder", folder.string(), "create it first, or " + remedy};
    if (error == ENOTDIR) return {"is no folder", folder.string(), remedy};
    return {std::string("the folder can't be used: ") + system_error_text(error), folder.string(),
            remedy};
}

/// The target of the symbolic link `name` in `folder`; `nullopt` when that is not a readable link.
std::optional<fs::path> target_of_link(int folder, const fs::path& name) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlinkat(folder, name.c_str(), target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size()) return std::nullopt;
    return fs::path(std::string(target.data(), static_cast<std::size_t>(size)));
}

/// Descends a path, one component at a time.
class Walk {
public:
    Walk(const fs::path& folder, MissingFolders missing, const std::string& remedy)
        : whole_(folder), missing_(missing), remedy_(remedy) {
        const fs::path absolute = fs::absolute(folder).lexically_normal();
        names_.assign(absolute.begin(), absolute.end());
    }

    Result<Descriptor> go() {
        while (!names_.empty()) {
            const fs::path name = names_.front();
            names_.pop_front();
            if (name.empty() || name == ".") continue;
            if (auto stepped = step(name); stepped.has_error()) return stepped.error();
        }
        return std::move(at_);
    }

private:
    Result<void> step(const fs::path& name) {
        Descriptor next = open_folder(name);
        if (!next && errno == ENOENT && missing_ == MissingFolders::make &&
            (mkdirat(at_.get(), name.c_str(), 0755) == 0 || errno == EEXIST))
            next = open_folder(name);
        if (next) {
            at_ = std::move(next);
            return {};
        }
        const int error = errno;
        const auto target = target_of_link(at_.get(), name);
        if (!target) return no_folder(whole_, error, remedy_);
        if (!is_ours_alone(at_.get()))
            return Error{
                "is not followed: it is a symbolic link in a folder where others may write",
                (whole_ / name).string(), "name the folder that is meant: " + remedy_};
        if (++links_ > most_links) return no_folder(whole_, ELOOP, remedy_);
        names_.insert(names_.begin(), target->begin(), target->end());
        return {};
    }

    /// An absolute name starts again at the root.
    [[nodiscard]] Descriptor open_folder(const fs::path& name) const {
        return Descriptor(openat(name.is_absolute() ? AT_FDCWD : at_.get(), name.c_str(),
                                 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }

    const fs::path& whole_;
    MissingFolders missing_;
    const std::string& remedy_;
    std::deque<fs::path> names_{};
    Descriptor at_{};
    int links_ = 0;
};

}  // namespace

Result<Descriptor> walk_to_folder(const fs::path& folder, MissingFolders missing,
                                  const std::string& remedy) {
    return Walk(folder, missing, remedy).go();
}

fs::path folder_of(const fs::path& file) {
    return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

bool is_ours_alone(int folder) {
    struct stat status {};
    return fstat(folder, &status) == 0 && (status.st_uid == 0 || status.st_uid == geteuid()) &&
           (status.st_mode & 0022) == 0;
}

}  // namespace sftdyn::base
