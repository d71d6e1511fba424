// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/exclusive_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/folder_walk.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/system_error.hpp"

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;

Error no_file(const fs::path& path, int error, const std::string& remedy) {
    const bool may_not = error == EACCES || error == EPERM || error == EROFS;
    return Error{std::string("can't be made: ") + system_error_text(error), path.string(),
                 error == EEXIST ? "move the old one away first, or " + remedy
                 : may_not       ? remedy + ", one that you may write to"
                                 : remedy};
}

bool write_whole(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return fsync(file) == 0;
}

}  // namespace

Result<NewFile> NewFile::make(const FilePlan& plan, const std::string& remedy) {
    NewFile out;
    out.path_ = plan.path;
    out.mend_ = remedy;
    auto folder =
        walk_to_folder(folder_of(plan.path),
                       plan.make_folders ? MissingFolders::make : MissingFolders::refuse, remedy);
    if (folder.has_error()) return folder.error();
    out.folder_ = std::move(*folder);
    out.file_ = Descriptor(openat(out.folder_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    if (!out.file_) {
        std::string name = ".sftdyn-" + random_hex(8);
        out.file_ = Descriptor(openat(out.folder_.get(), name.c_str(),
                                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!out.file_) return no_file(plan.path, errno, remedy);
        out.temporary_ = std::move(name);
    }
    if (!write_whole(out.file_.get(), plan.text))
        return Error{"could not be written whole", plan.path.string(), "is the disk full?"};
    if (plan.owner && fchown(out.file_.get(), plan.owner->user, plan.owner->group) != 0)
        return Error{std::string("can't be given to its owner: ") + system_error_text(errno),
                     plan.path.string(), remedy};
    if (fchmod(out.file_.get(), plan.mode) != 0)
        return Error{std::string("can't be given its mode: ") + system_error_text(errno),
                     plan.path.string(), remedy};
    return out;
}

NewFile::NewFile(NewFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      mend_(std::move(other.mend_)) {}

NewFile::~NewFile() {
    if (!temporary_.empty()) unlinkat(folder_.get(), temporary_.c_str(), 0);
}

Result<void> NewFile::publish() {
    const std::string name = path_.filename().string();
    const std::string self = "/proc/self/fd/" + std::to_string(file_.get());
    const int linked =
        temporary_.empty()
            ? linkat(AT_FDCWD, self.c_str(), folder_.get(), name.c_str(), AT_SYMLINK_FOLLOW)
            : linkat(folder_.get(), temporary_.c_str(), folder_.get(), name.c_str(), 0);
    if (linked != 0) return no_file(path_, errno, mend_);
    return {};
}

void NewFile::withdraw() noexcept {
    struct stat own {};
    struct stat there {};
    const std::string name = path_.filename().string();
    const bool same = fstat(file_.get(), &own) == 0 &&
                      fstatat(folder_.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                      own.st_dev == there.st_dev && own.st_ino == there.st_ino;
    if (same) unlinkat(folder_.get(), name.c_str(), 0);
}

Result<void> create_file(const fs::path& path, const std::string& text, mode_t mode,
                         const std::string& remedy) {
    FilePlan plan;
    plan.path = path;
    plan.text = text;
    plan.mode = mode;
    auto file = NewFile::make(plan, remedy);
    zeroize(plan.text);
    if (file.has_error()) return file.error();
    return file->publish();
}

}  // namespace sftdyn::base
