// SPDX-License-Identifier: GPL-3.0-or-later
// Creates new files: an existing file is never overwritten, and owner and mode are never set on a
// file that another process put in place.
//
// A folder is opened as described in base/folder_walk.hpp. Owner and mode are set on the
// descriptor. A file gets its name when it is complete, so an interrupted run leaves no partial
// file under that name.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace sftdyn::base {

/// The user and group of a new file.
struct FileOwner {
    uid_t user;
    gid_t group;
};

/// Describes a file to create.
struct FilePlan {
    std::filesystem::path path{};
    std::string text{};
    mode_t mode = 0600;                ///< set exactly, independent of the umask
    std::optional<FileOwner> owner{};  ///< absent: the user of this process
    bool make_folders = false;         ///< create missing parent folders, with mode 0755
};

/// A file that is completely written, and has no name until it is published.
class NewFile {
public:
    /// `remedy` tells the reader of an error what else to do.
    [[nodiscard]] static Result<NewFile> make(const FilePlan& plan, const std::string& remedy);

    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    /// Gives the file its name; an error when that name exists already.
    [[nodiscard]] Result<void> publish();
    /// Removes the name, if it still refers to this file.
    void withdraw() noexcept;

private:
    NewFile() = default;

    Descriptor folder_{}, file_{};
    std::filesystem::path path_{};
    std::string temporary_{};  ///< its name before `publish`, on file systems without O_TMPFILE
    std::string mend_{};
};

/// Creates and publishes one file.
[[nodiscard]] Result<void> create_file(const std::filesystem::path& path, const std::string& text,
                                       mode_t mode, const std::string& remedy);

}  // namespace sftdyn::base
