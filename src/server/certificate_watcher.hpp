// SPDX-License-Identifier: GPL-3.0-or-later
// The certificates in use: read again when their files change, and warned of before they expire.
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

/// Reads the certificate files and gives the certificates to the HTTP server. A file that is no
/// longer usable is logged, and the certificate in use stays. Owned by `Service`, used on the
/// thread of `io`.
class CertificateWatcher {
public:
    using Files = config::Settings::CertificateFiles;
    using OnChange = std::function<void(const http::TlsContext&)>;
    using Clock = std::function<base::TimePoint()>;

    /// `on_change` gets the certificates whenever one of them is new, on the thread of `io`.
    CertificateWatcher(boost::asio::io_context& io, OnChange on_change,
                       Clock clock = base::Clock::now)
        : timer_(io), on_change_(std::move(on_change)), clock_(std::move(clock)) {}

    /// Reads the files now, and again when they change. False: some are not usable, the log says
    /// why, and all that was in use before stays so. No TLS older than `least` is spoken.
    [[nodiscard]] bool use(const std::vector<Files>& files,
                           http::TlsVersion least = http::TlsVersion::tls1_2);

    /// Looks whether the files have changed, and does what else is due. Called every two seconds
    /// once there are certificates.
    void look();

    /// The certificates in use by their first names, and how long they are valid. Of several with
    /// one name, an old and a new one or those of two algorithms, the one that expires first.
    [[nodiscard]] std::map<std::string, std::chrono::seconds> validity() const;

private:
    struct One {
        Files files;
        std::string state{};  ///< of the files, when they were read
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
        std::make_shared<http::TicketKeys>(clock_());  ///< of all certificates, old and new
    std::vector<One> all_;
    http::TlsVersion least_ = http::TlsVersion::tls1_2;
    base::TimePoint next_warning_{};
};

}  // namespace sftdyn::server
