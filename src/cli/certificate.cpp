#include "cli/certificate.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace sftdyn::cli {
namespace {

namespace log = base::log;

constexpr auto watch_interval = std::chrono::seconds(2);
constexpr auto warning_interval = std::chrono::hours(24);
constexpr auto warning_time = std::chrono::hours(24 * 14);

std::string state_of(const std::string& file) {
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) return "none";
    return fmt::format("{}/{}/{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

}  // namespace

std::string Certificate::state_of_files() const { return state_of(cert_file_) + " " + state_of(key_file_); }

bool Certificate::use(const std::string& cert_file, const std::string& key_file) {
    cert_file_ = cert_file;
    key_file_ = key_file;
    const bool usable = read();
    watch();
    return usable;
}

bool Certificate::read() {
    state_ = state_of_files();
    const auto context = http::make_tls_context(cert_file_, key_file_);
    if (context.has_error()) {
        log::error("{}{}", context.error().text(), context_ ? " (the certificate in use stays)" : "");
        return false;
    }
    if (context_) log::info("{}: the certificate was read anew", cert_file_);
    context_ = *context;
    next_warning_ = {};
    warn_of_expiry();
    on_change_(context_);
    return true;
}

void Certificate::warn_of_expiry() {
    if (!context_ || base::Clock::now() < next_warning_) return;
    next_warning_ = base::Clock::now() + warning_interval;
    const auto left = http::time_left(context_);
    if (left >= warning_time) return;
    const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
    if (left.count() < 0) {
        log::warn("{}: the certificate has expired; renew it", cert_file_);
    } else {
        log::warn("{}: the certificate expires in {} day{}; renew it", cert_file_, days, days == 1 ? "" : "s");
    }
}

void Certificate::watch() {
    timer_.expires_after(watch_interval);
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        if (state_of_files() != state_) read();
        warn_of_expiry();
        watch();
    });
}

}  // namespace sftdyn::cli
