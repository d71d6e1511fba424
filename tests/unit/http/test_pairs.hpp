// SPDX-License-Identifier: GPL-3.0-or-later
// Keys and certificates for tests, made where they are needed.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cctype>
#include <chrono>
#include <stdexcept>
#include <string>

#include "http/tls_pair.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::http {

using TestKey = TlsPart<EVP_PKEY>;

/// "RSA", "EC", "ED25519", the name of a curve with a small letter in front, or any other kind that
/// EVP_PKEY_Q_keygen(3) knows without parameters.
inline TestKey make_test_key(const std::string& kind) {
    EVP_PKEY* key = kind == "RSA"  ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                    : kind == "EC" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                    : std::islower(static_cast<unsigned char>(kind[0])) != 0
                        ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str())
                        : EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str());
    if (key == nullptr) throw std::runtime_error("no key of kind " + kind);
    return TestKey(key);
}

/// A certificate for `key`, PEM; an authority's if it is `ca`. It is valid for `time` from now on.
inline std::string make_test_certificate(EVP_PKEY* key, const char* name = "localhost",
                                         bool ca = false,
                                         std::chrono::seconds time = std::chrono::hours(24),
                                         const char* dns_name = nullptr) {
    static const TestKey signer = make_test_key("EC");
    TlsPart<X509> certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), time.count());
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    X509_EXTENSION* constraints = X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    X509_add_ext(certificate.get(), constraints, -1);
    X509_EXTENSION_free(constraints);
    if (dns_name != nullptr) {
        X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                    (std::string("DNS:") + dns_name).c_str());
        X509_add_ext(certificate.get(), names, -1);
        X509_EXTENSION_free(names);
    }
    if (X509_sign(certificate.get(), signer.get(), EVP_sha256()) == 0)
        throw std::runtime_error("no certificate");
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
}

/// PKCS#8, PEM; encrypted if there is a password.
inline std::string pem_of(EVP_PKEY* key, const char* password = nullptr) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(
        bio, key, password != nullptr ? EVP_aes_256_cbc() : nullptr, password,
        password != nullptr ? static_cast<int>(std::char_traits<char>::length(password)) : 0,
        nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
}

/// A folder with the two files of a pair.
class PairFolder {
public:
    [[nodiscard]] std::string cert() const { return folder_ / "cert.pem"; }
    [[nodiscard]] std::string key() const { return folder_ / "key.pem"; }
    void write(const std::string& cert_text, const std::string& key_text) const {
        folder_.write("cert.pem", cert_text);
        folder_.write("key.pem", key_text);
    }

private:
    TemporaryFolder folder_{};
};

}  // namespace sftdyn::http
