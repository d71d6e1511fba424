// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/response_writer.hpp"

#include <ctime>

#include <fmt/format.h>
#include <boost/beast/http/status.hpp>

namespace sftdyn::http {
namespace {

/// "Date: …" (RFC 9110 §6.6.1), formatted once a second per thread.
const std::string& date_line() {
    thread_local std::time_t made_at = 0;
    thread_local std::string line;
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != made_at) {
        made_at = now.tv_sec;
        std::tm utc{};
        gmtime_r(&made_at, &utc);
        char text[64];
        // The names of the C locale are those of RFC 9110 §5.6.7; the program sets no other locale.
        const std::size_t size =
            std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
        line.assign(text, size);
    }
    return line;
}

}  // namespace

void write_response(std::string& out, const Response& response, const Framing& framing) {
    if (response.status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
    } else {
        const auto reason = boost::beast::http::obsolete_reason(
            static_cast<boost::beast::http::status>(response.status));
        fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                       std::string_view(reason.data(), reason.size()));
    }
    out += date_line();
    out += "Content-Type: ";
    out += response.content_type;
    out += "\r\nCache-Control: no-store\r\nContent-Length: ";
    out += fmt::format_int(response.body.size()).str();
    out += "\r\n";
    if (!response.allow.empty()) {
        out += "Allow: ";
        out += response.allow;
        out += "\r\n";
    }
    if (!response.authenticate.empty()) {
        out += "WWW-Authenticate: ";
        out += response.authenticate;
        out += "\r\n";
    }
    if (response.retry_after.count() > 0) {
        out += "Retry-After: ";
        out += fmt::format_int(response.retry_after.count()).str();
        out += "\r\n";
    }
    if (!framing.keep_alive) out += "Connection: close\r\n";
    if (framing.keep_alive && framing.version < 11) out += "Connection: keep-alive\r\n";
    out += "\r\n";
    if (!framing.head) out += response.body;
}

}  // namespace sftdyn::http
