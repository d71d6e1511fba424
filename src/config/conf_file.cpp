// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/conf_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "base/kept_from.hpp"
#include "base/secret.hpp"
#include "base/system_error.hpp"

namespace sftdyn::config {
namespace {

struct ConfFile {
    base::Descriptor file;
    std::size_t size;
};

base::Error unreadable(const std::string& path, const std::string& why, ConfRole role) {
    if (role == ConfRole::included)
        return {"this included file can't be read: " + why, path,
                "correct it, or take it out of the folder of include"};
    return {"the configuration can't be read: " + why, path,
            "name the configuration file: sftdyn FILE"};
}

/// The error for a file that could not be opened; reads errno.
base::Error not_opened(const std::string& path, ConfRole role) {
    const int number = errno;
    base::Error error = unreadable(path, base::system_error_text(number), role);
    if (number == EACCES && base::is_kept_from(path)) {
        error.remedy = base::sandbox_remedy;
    } else if (number == EACCES) {
        error.remedy = geteuid() == 0
                           ? "let this user read it, and into the folders above"
                           : "it is for root and the service alone: run this as root (sudo); the "
                             "service's own user needs to read it by its group (chmod 640)";
    }
    return error;
}

base::Result<ConfFile> open_conf(const std::string& path, ConfRole role) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    base::Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    struct stat status {};
    if (file.get() < 0 || fstat(file.get(), &status) != 0) return not_opened(path, role);
    if (S_ISDIR(status.st_mode)) return unreadable(path, "it is a folder", role);
    if (!S_ISREG(status.st_mode))
        return unreadable(path, "it is not a regular file but a pipe, a device or a socket", role);
    if (static_cast<std::uint64_t>(status.st_size) > largest_conf)
        return unreadable(path, fmt::format("it is larger than {} MiB", largest_conf >> 20), role);
    return ConfFile{std::move(file), static_cast<std::size_t>(status.st_size)};
}

}  // namespace

base::Result<void> check_conf(const std::string& path) {
    const auto opened = open_conf(path, ConfRole::configuration);
    if (opened.has_error()) return opened.error();
    return {};
}

base::Result<std::string> read_conf(const std::string& path, ConfRole role) {
    const auto opened = open_conf(path, role);
    if (opened.has_error()) return opened.error();
    std::string text(opened->size, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t size = ::read(opened->file.get(), text.data() + have, text.size() - have);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) {
            const std::string why = size < 0 ? base::system_error_text(errno) : "it became shorter";
            base::zeroize(text);
            return unreadable(path, why, role);
        }
        have += static_cast<std::size_t>(size);
    }
    return base::Result<std::string>(boost::system::in_place_value, std::move(text));
}

std::string version_of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return {};
    return fmt::format("{}.{:09}/{}/{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                       status.st_size, status.st_ino);
}

}  // namespace sftdyn::config
