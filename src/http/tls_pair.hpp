// SPDX-License-Identifier: GPL-3.0-or-later
// A certificate with its chain, and the private key that it is for, as they lie on disk.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/result.hpp"

namespace sftdyn::http {

/// Deleter of what OpenSSL has allocated for a certificate, a key or a chain.
struct FreeTlsPart {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
template <class Part>
using TlsPart = std::unique_ptr<Part, FreeTlsPart>;

/// Belongs together: the key is the first certificate's, and of a kind that TLS 1.2 or 1.3 signs
/// with.
struct TlsPair {
    TlsPart<X509> certificate{};  ///< the server's own
    TlsPart<STACK_OF(X509)> chain{};
    TlsPart<EVP_PKEY> key{};
};

/// Reads both files, PEM, each once. The one place where a pair comes from: what it returns fits
/// together, whatever the files hold at this moment. They are never replaced in one step, so that
/// any pair of old, new and half-written ones may be found. An error names the file and says what
/// it lacks.
[[nodiscard]] base::Result<TlsPair> read_pair(const std::string& cert_file,
                                              const std::string& key_file);

/// Why OpenSSL's last call on this thread failed, in its words; its errors are forgotten.
[[nodiscard]] std::string last_tls_reason();

}  // namespace sftdyn::http
