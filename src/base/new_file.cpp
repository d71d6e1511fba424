#include "base/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sftdyn::base {

Result<void> create_file(const std::filesystem::path& path, const std::string& text, mode_t mode, const std::string& mend) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0) {
        return Error{std::string("can't be made: ") + std::strerror(errno), path.string(),
                     errno == EEXIST ? "move the old one away first, or " + mend : "choose a folder that you may write to: " + mend};
    }
    const ssize_t written = write(file, text.data(), text.size());
    if (close(file) != 0 || written != static_cast<ssize_t>(text.size()))
        return Error{"could not be written whole", path.string(), "is the disk full?"};
    return {};
}

}  // namespace sftdyn::base
