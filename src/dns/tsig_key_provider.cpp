// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key_provider.hpp"

#include "dns/tsig_key_file.hpp"

namespace sftdyn::dns {
namespace {

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
    for (const auto& path : paths_) {
        struct stat info {};
        if (stat(path.c_str(), &info) != 0) continue;
        const Stamp stamp{info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
        if (key_ && path == path_ && stamp == stamp_) return key_;
        return read(path, stamp);
    }
    // Reading what is not there gives the error that names the path and the user.
    return read(paths_.front(), Stamp{});
}

base::Result<TsigKeyPtr> TsigKeyProvider::read(const std::string& path, const Stamp& stamp) {
    auto key = read_key_file(path);
    if (key.has_error()) {
        key_.reset();
        return key.error();
    }
    key_ = std::make_shared<const TsigKey>(std::move(*key));
    path_ = path;
    stamp_ = stamp;
    return key_;
}

}  // namespace sftdyn::dns
