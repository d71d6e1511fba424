// SPDX-License-Identifier: GPL-3.0-or-later
// A certificate with its chain and its private key, as read from disk.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "base/result.hpp"

namespace sftdyn::http {

/// Deleter for OpenSSL's certificates, keys and chains.
struct FreeTlsPart {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
template <class Part>
using TlsPart = std::unique_ptr<Part, FreeTlsPart>;

/// A matching pair: the key belongs to the first certificate, and its type can sign in TLS 1.2 or
/// 1.3.
struct TlsPair {
    TlsPart<X509> certificate{};  ///< the server's own
    TlsPart<STACK_OF(X509)> chain{};
    TlsPart<EVP_PKEY> key{};
};

/// Reads both PEM files, each once. All pairs come from here, and the returned parts match, no
/// matter what the files contain at this moment. The files are not replaced atomically, so any mix
/// of old, new and half-written files may be found. An error names the file and what is wrong with
/// it.
[[nodiscard]] base::Result<TlsPair> read_pair(const std::string& cert_file,
                                              const std::string& key_file);

/// OpenSSL's message for its last failed call on this thread; clears its error queue.
[[nodiscard]] std::string last_tls_reason();

}  // namespace sftdyn::http
