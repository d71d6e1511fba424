// SPDX-License-Identifier: GPL-3.0-or-later
// The TSIG key that is in force now: read from its file, and read again when the file changes.
#pragma once

#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/result.hpp"
#include "dns/tsig_key.hpp"

namespace sftdyn::dns {

/// Where BIND keeps the session key that `nsupdate -l` uses; named makes a new one at each start.
[[nodiscard]] std::vector<std::string> session_key_paths();

/// Reads the key file and keeps what it held. A file that can't be read or holds no key is an error
/// of `current`, not an old key. Used on one thread.
class TsigKeyProvider {
public:
    /// The first of `paths` that exists is used; when none does, the first is named in the error.
    /// Without a path there is no key, and nothing is signed.
    explicit TsigKeyProvider(const std::vector<std::string>& paths);

    /// The key as the file says now; null: there is to be none. Costs one stat(2) for each file
    /// when nothing changed.
    [[nodiscard]] base::Result<TsigKeyPtr> current();

    /// What tells one state of a file from another.
    struct Stamp {
        dev_t device{};
        ino_t inode{};
        off_t size{};
        timespec modified{};
        timespec changed{};
        friend bool operator==(const Stamp& a, const Stamp& b);
    };

private:
    struct StampedFile {
        std::string path;
        Stamp stamp;
    };
    [[nodiscard]] bool is_unchanged(const std::string& path) const;
    [[nodiscard]] base::Result<TsigKeyPtr> read(const std::string& path);

    std::vector<std::string> paths_;
    std::string path_;                ///< of `paths_`, that `key_` came from
    std::vector<StampedFile> files_;  ///< that were read for it
    TsigKeyPtr key_;
};

}  // namespace sftdyn::dns
