// The certificate and key that TLS connections are served with (TLS 1.2 and 1.3).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.hpp"

namespace sftdyn::http {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Reads a certificate chain and its private key, both PEM. An error names the file; an encrypted key and a key that does
/// not fit the certificate are errors.
[[nodiscard]] base::Result<TlsContext> make_tls_context(const std::string& cert_file, const std::string& key_file);

/// How long the context's certificate is still valid; negative when it has expired.
[[nodiscard]] std::chrono::seconds time_left(const TlsContext& context);

}  // namespace sftdyn::http
