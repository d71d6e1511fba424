// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/exclusive_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>

#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/system_error.hpp"

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // in one path, as the kernel has it

Error no_file(const fs::path& path, int error, const std::string& remedy) {
    return Error{std::string("can't be made: ") + system_error_text(error), path.string(),
                 error == EEXIST ? "move the old one away first, or " + remedy
                                 : "choose a folder that you may write to: " + remedy};
}

/// Whether nobody but root and this user can put anything into the folder.
bool is_ours_alone(int folder) {
    struct stat status {};
    return fstat(folder, &status) == 0 && (status.st_uid == 0 || status.st_uid == geteuid()) &&
           (status.st_mode & 0022) == 0;
}

/// What a symbolic link in `folder` names; nothing: it is none.
std::optional<fs::path> target_of_link(int folder, const fs::path& name) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlinkat(folder, name.c_str(), target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size()) return std::nullopt;
    return fs::path(std::string(target.data(), static_cast<std::size_t>(size)));
}

/// Goes down a path, one name after the other.
class Walk {
public:
    Walk(const fs::path& folder, bool make_folders, const std::string& remedy)
        : whole_(folder), make_folders_(make_folders), mend_(remedy) {
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
        if (!next && errno == ENOENT && make_folders_ &&
            (mkdirat(at_.get(), name.c_str(), 0755) == 0 || errno == EEXIST))
            next = open_folder(name);
        if (next) {
            at_ = std::move(next);
            return {};
        }
        const int error = errno;
        const auto target = target_of_link(at_.get(), name);
        if (!target) return no_file(whole_, error, mend_);
        if (!is_ours_alone(at_.get()))
            return Error{
                "is not followed: it is a symbolic link in a folder where others may write",
                (whole_ / name).string(), "name the folder that is meant: " + mend_};
        if (++links_ > most_links) return no_file(whole_, ELOOP, mend_);
        names_.insert(names_.begin(), target->begin(), target->end());
        return {};
    }

    /// An absolute name starts anew.
    [[nodiscard]] Descriptor open_folder(const fs::path& name) const {
        return Descriptor(openat(name.is_absolute() ? AT_FDCWD : at_.get(), name.c_str(),
                                 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }

    const fs::path& whole_;
    bool make_folders_;
    const std::string& mend_;
    std::deque<fs::path> names_{};
    Descriptor at_{};
    int links_ = 0;
};

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
    const fs::path parent = plan.path.has_parent_path() ? plan.path.parent_path() : fs::path(".");
    auto folder = Walk(parent, plan.make_folders, remedy).go();
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
        return Error{std::string("can't be given to whom it belongs: ") + system_error_text(errno),
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
