// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/certificate_watcher.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

constexpr auto watch_interval = std::chrono::seconds(2);
constexpr auto warning_interval = std::chrono::hours(24);
constexpr auto warning_time = std::chrono::hours(24 * 14);

std::string state_of(const std::string& file) {
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) return "none";
    return fmt::format("{}/{}/{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec,
                       info.st_mtim.tv_nsec);
}

}  // namespace

bool CertificateWatcher::use(const std::vector<Files>& files, http::TlsVersion least) {
    std::vector<One> all;
    bool usable = true;
    for (const auto& one : files) {
        const auto known = std::find_if(all_.begin(), all_.end(),
                                        [&](const One& other) { return other.files == one; });
        all.push_back(known == all_.end() ? One{one} : *known);
        usable = read(all.back(), least) && usable;
    }
    if (!usable) return false;
    all_ = std::move(all);
    least_ = least;
    give();
    watch();
    return true;
}

bool CertificateWatcher::read(One& one, http::TlsVersion least) {
    one.state = state_of(one.files.cert) + " " + state_of(one.files.key);
    auto certificate = http::read_certificate(one.files.cert, one.files.key, tickets_, least);
    if (certificate.has_error()) {
        log::error("{}{}", certificate.error().text(),
                   one.certificate ? " (the certificate in use stays)" : "");
        return false;
    }
    if (one.certificate) log::info("{}: the certificate was reloaded", one.files.cert);
    one.certificate = std::move(*certificate);
    return true;
}

void CertificateWatcher::give() {
    auto usable = std::make_shared<std::vector<http::TlsCertificate>>();
    for (const auto& one : all_) {
        if (one.certificate) usable->push_back(*one.certificate);
    }
    next_warning_ = {};
    warn_of_expiry();
    if (!usable->empty()) on_change_(usable);
}

void CertificateWatcher::warn_of_expiry() {
    const auto now = clock_();
    if (now < next_warning_) return;
    next_warning_ = now + warning_interval;
    for (const auto& one : all_) {
        if (!one.certificate) continue;
        const auto left = http::time_left(*one.certificate);
        if (left >= warning_time) continue;
        const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
        if (left.count() < 0) {
            log::warn("{}: the certificate has expired; renew it", one.files.cert);
        } else {
            log::warn("{}: the certificate expires in {} day{}; renew it", one.files.cert, days,
                      days == 1 ? "" : "s");
        }
    }
}

std::map<std::string, std::time_t> CertificateWatcher::expiry() const {
    std::map<std::string, std::time_t> out;
    for (const auto& one : all_) {
        if (!one.certificate) continue;
        const auto& names = one.certificate->names;
        const auto expires = http::expiry_of(*one.certificate);
        auto& first =
            out.try_emplace(names.empty() ? one.files.cert : names.front(), expires).first->second;
        first = std::min(first, expires);
    }
    return out;
}

void CertificateWatcher::watch() {
    if (all_.empty()) return;
    timer_.expires_after(watch_interval);
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        look();
        watch();
    });
}

void CertificateWatcher::look() {
    bool changed = false;
    for (auto& one : all_) {
        if (state_of(one.files.cert) + " " + state_of(one.files.key) != one.state)
            changed = read(one, least_) || changed;
    }
    if (changed) give();
    warn_of_expiry();
    tickets_->rotate(clock_());
}

}  // namespace sftdyn::server
