// The certificate in use: read again when its files change, and warned of before it expires.
#pragma once

#include <functional>
#include <string>

#include <sys/stat.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "http/tls.hpp"

namespace sftdyn::cli {

class Certificate {
public:
    using OnChange = std::function<void(const http::TlsContext&)>;

    /// `on_change` gets each new certificate, on the thread of `io`.
    Certificate(boost::asio::io_context& io, OnChange on_change) : timer_(io), on_change_(std::move(on_change)) {}

    /// Reads the files now, and again when they change. False: they are not usable, the log says why, and what was in use
    /// stays so.
    bool use(const std::string& cert_file, const std::string& key_file);

private:
    void watch();
    bool read();
    void warn_of_expiry();
    [[nodiscard]] std::string state_of_files() const;

    boost::asio::steady_timer timer_;
    OnChange on_change_;
    std::string cert_file_, key_file_;
    std::string state_;
    http::TlsContext context_;
    base::TimePoint next_warning_{};
};

}  // namespace sftdyn::cli
