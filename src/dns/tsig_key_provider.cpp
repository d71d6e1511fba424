// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key_provider.hpp"

#include <algorithm>

#include "dns/tsig_key_file.hpp"

namespace sftdyn::dns {
namespace {

TsigKeyProvider::Stamp stamp_of(const struct stat& info) {
    return {info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
}

bool same(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

std::vector<std::string> session_key_paths() {
    return {"/run/named/session.key", "/var/run/named/session.key"};
}

bool operator==(const TsigKeyProvider::Stamp& a, const TsigKeyProvider::Stamp& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size &&
           same(a.modified, b.modified) && same(a.changed, b.changed);
}

TsigKeyProvider::TsigKeyProvider(const std::vector<std::string>& paths) {
    for (const auto& path : paths) paths_.push_back(key_file_path(path));
}

base::Result<TsigKeyPtr> TsigKeyProvider::current() {
    if (paths_.empty()) return TsigKeyPtr();
    for (const auto& path : paths_) {
        struct stat info {};
        if (stat(path.c_str(), &info) != 0) continue;
        if (key_ && is_unchanged(path)) return key_;
        return read(path);
    }
    // Reading the missing file gives the error that names the path and the user.
    return read(paths_.front());
}

bool TsigKeyProvider::is_unchanged(const std::string& path) const {
    return path == path_ && std::all_of(files_.begin(), files_.end(), [](const StampedFile& file) {
               struct stat info {};
               return stat(file.path.c_str(), &info) == 0 && stamp_of(info) == file.stamp;
           });
}

base::Result<TsigKeyPtr> TsigKeyProvider::read(const std::string& path) {
    key_.reset();
    files_.clear();
    auto key = read_key_file(path, [this](const std::string& file) {
        struct stat info {};
        if (stat(file.c_str(), &info) == 0) files_.push_back({file, stamp_of(info)});
    });
    if (key.has_error()) return key.error();
    key_ = std::make_shared<const TsigKey>(std::move(*key));
    path_ = path;
    return key_;
}

}  // namespace sftdyn::dns
