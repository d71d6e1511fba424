// SPDX-License-Identifier: GPL-3.0-or-later
// Makes files that were not there: nobody's file is overwritten, and nobody is given another file
// than the one made here.
//
// A folder is opened as base/folder_walk.hpp says. Owner and mode are set on the descriptor. A file
// gets its name when it is whole, so a run that is interrupted leaves none.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace sftdyn::base {

/// The user and the group that a new file is given to.
struct FileOwner {
    uid_t user;
    gid_t group;
};

/// What is to be made.
struct FilePlan {
    std::filesystem::path path{};
    std::string text{};
    mode_t mode = 0600;                ///< exactly, whatever the umask
    std::optional<FileOwner> owner{};  ///< absent: whoever makes it
    bool make_folders = false;         ///< those above it, with mode 0755
};

/// A file that is written whole, and has no name until it is published.
class NewFile {
public:
    /// `remedy` says what else to do when it can't be made.
    [[nodiscard]] static Result<NewFile> make(const FilePlan& plan, const std::string& remedy);

    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    /// Gives it its name; an error when there is one of that name already.
    [[nodiscard]] Result<void> publish();
    /// Takes the name away again, if it is still this file's.
    void withdraw() noexcept;

private:
    NewFile() = default;

    Descriptor folder_{}, file_{};
    std::filesystem::path path_{};
    std::string
        temporary_{};  ///< its name meanwhile, on file systems that have no files without one
    std::string mend_{};
};

/// Makes and publishes one file.
[[nodiscard]] Result<void> create_file(const std::filesystem::path& path, const std::string& text,
                                       mode_t mode, const std::string& remedy);

}  // namespace sftdyn::base
