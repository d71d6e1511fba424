// SPDX-License-Identifier: GPL-3.0-or-later
// Reads certificates again when their files change, and warns before they expire.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "config/settings.hpp"
#include "http/tls.hpp"

namespace sftdyn::server {

/// Reads the certificate files and passes the certificates to the HTTP server. If a file becomes
/// unusable, logs it and keeps the certificate in use. Owned by `Service`, used on the thread of
/// `io`.
class CertificateWatcher {
public:
    using Files = config::Settings::CertificateFiles;
    using OnChange = std::function<void(const http::TlsContext&)>;
    using Clock = std::function<base::TimePoint()>;

    /// `on_change` is called with all certificates when one of them is new, on the thread of `io`.
    CertificateWatcher(boost::asio::io_context& io, OnChange on_change,
                       Clock clock = base::Clock::now)
        : timer_(io), on_change_(std::move(on_change)), clock_(std::move(clock)) {}

    /// Reads the files now, and again when they change. `least` is the minimum TLS version. False:
    /// some files are not usable (the log says why), and everything in use stays as it was.
    [[nodiscard]] bool use(const std::vector<Files>& files,
                           http::TlsVersion least = http::TlsVersion::tls1_2);

    /// Reads files that have changed, and warns of expiry. Called every two seconds once there are
    /// certificates.
    void look();

    /// When each certificate in use expires, in seconds since 1970, by its first name. Of several
    /// certificates with the same name, the one that expires first counts.
    [[nodiscard]] std::map<std::string, std::time_t> expiry() const;

private:
    struct One {
        Files files;
        std::string state{};  ///< of the files when they were read
        std::optional<http::TlsCertificate> certificate{};
    };
    void watch();
    bool read(One& one, http::TlsVersion least);
    void give();
    void warn_of_expiry();

    boost::asio::steady_timer timer_;
    OnChange on_change_;
    Clock clock_;
    std::shared_ptr<http::TicketKeys> tickets_ =
        std::make_shared<http::TicketKeys>(clock_());  ///< for all certificates, old and new
    std::vector<One> all_;
    http::TlsVersion least_ = http::TlsVersion::tls1_2;
    base::TimePoint next_warning_{};
};

}  // namespace sftdyn::server
