// SPDX-License-Identifier: GPL-3.0-or-later
// Provides the current TSIG key, which is read again when its file changes.
#pragma once

#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/result.hpp"
#include "dns/tsig_key.hpp"

namespace sftdyn::dns {

/// Where BIND stores the session key of `nsupdate -l`. named makes a new key at each start.
[[nodiscard]] std::vector<std::string> session_key_paths();

/// Reads the key file and caches the key. When the file can't be read or has no key, `current`
/// returns an error and not the old key. Used on one thread.
class TsigKeyProvider {
public:
    /// Uses the first of `paths` that exists. If none exists, the error names the first. Without
    /// paths there is no key, and nothing is signed.
    explicit TsigKeyProvider(const std::vector<std::string>& paths);

    /// The key that is in the file now; null: no key is configured. Costs one stat(2) for each file
    /// if nothing has changed.
    [[nodiscard]] base::Result<TsigKeyPtr> current();

    /// Identifies a version of a file.
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
    std::string path_;                ///< the one of `paths_` that `key_` was read from
    std::vector<StampedFile> files_;  ///< all files that were read for `key_`
    TsigKeyPtr key_;
};

}  // namespace sftdyn::dns
