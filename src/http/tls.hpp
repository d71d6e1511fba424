// SPDX-License-Identifier: GPL-3.0-or-later
// The certificates and keys of TLS connections (TLS 1.2 and 1.3).
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include "base/result.hpp"
#include "http/ticket_keys.hpp"
#include "http/tls_version.hpp"

namespace sftdyn::http {

/// A certificate that is ready to serve. Immutable once it is in a `TlsContext`, which all threads
/// share.
struct TlsCertificate {
    std::shared_ptr<boost::asio::ssl::context> context{};
    std::vector<std::string>
        names{};  ///< its DNS names (RFC 6125 §6.4) in lower case, which may begin with `*.`
    std::shared_ptr<TicketKeys> tickets{};  ///< used by `context`; null: no tickets
};

/// Reads a certificate chain and its private key, both PEM (`read_pair`), and prepares them for
/// serving. An error names the file; an encrypted key, and a key that does not match the
/// certificate, are errors. Sessions can be resumed if `tickets` is set.
[[nodiscard]] base::Result<TlsCertificate> read_certificate(
    const std::string& cert_file, const std::string& key_file,
    std::shared_ptr<TicketKeys> tickets = {}, TlsVersion least = TlsVersion::tls1_2);

/// When the certificate expires, in seconds since 1970.
[[nodiscard]] std::time_t expiry_of(const TlsCertificate& certificate);
/// How long the certificate is still valid; negative when it has expired.
[[nodiscard]] std::chrono::seconds time_left(const TlsCertificate& certificate);

/// The certificates of a server. A connection gets the first whose names match the name that the
/// client asks for (SNI, RFC 6066 §3), or else the first of all. Never empty.
using TlsContext = std::shared_ptr<const std::vector<TlsCertificate>>;

/// The certificate for a server name.
[[nodiscard]] const TlsCertificate& choose(const std::vector<TlsCertificate>& certificates,
                                           std::string_view server_name);

/// Deleter of an `SSL`.
struct FreeTls {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
/// A new TLS object for the server's side of a connection; null when memory is short. `context`
/// must outlive it.
[[nodiscard]] std::unique_ptr<SSL, FreeTls> new_tls(const TlsContext& context);

}  // namespace sftdyn::http
