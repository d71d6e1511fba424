#include "http/tls.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace sftdyn::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Mozilla's "intermediate" profile, version 5.7: forward secrecy and authenticated encryption only.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:prime256v1:secp384r1";

/// ALPN (RFC 7301): http/1.1 is all there is; whoever offers only other protocols gets none.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, offered, offered_size) != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

std::string readable(const std::string& file) {
    std::ifstream probe(file);
    return probe ? "" : std::strerror(errno);
}

base::Error unusable(const std::string& file, const char* what, const error_code& error) {
    const std::string reason = readable(file);
    if (!reason.empty()) return {fmt::format("{} can't be read: {}", what, reason), file, "name a file that the user sftdyn runs as may read"};
    return {fmt::format("{} is not usable: {}", what, error.message()), file, "expected PEM, as Let's Encrypt's fullchain.pem and privkey.pem"};
}

}  // namespace

base::Result<TlsContext> make_tls_context(const std::string& cert_file, const std::string& key_file) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* raw = context->native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    static constexpr unsigned char session_context[] = "sftdyn";
    if (SSL_CTX_set_cipher_list(raw, tls12_ciphers) != 1 || SSL_CTX_set1_groups_list(raw, groups) != 1 ||
        SSL_CTX_set_session_id_context(raw, session_context, sizeof session_context - 1) != 1) {
        return base::Error{"OpenSSL does not know the ciphers that sftdyn needs", "", "is its configuration (openssl.cnf) very restrictive?"};
    }

    error_code error;
    context->use_certificate_chain_file(cert_file, error);
    if (error) return unusable(cert_file, "the certificate", error);
    bool asked_for_password = false;
    context->set_password_callback([&asked_for_password](std::size_t, ssl::context::password_purpose) {
        asked_for_password = true;
        return std::string();
    });
    context->use_private_key_file(key_file, ssl::context::pem, error);
    SSL_CTX_set_default_passwd_cb(raw, nullptr);
    if (asked_for_password) {
        return base::Error{"the private key is encrypted", key_file,
                           "sftdyn starts without anybody to type a password: decrypt it (openssl pkey -in … -out …)"};
    }
    if (error) {
        const bool mismatch = ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH;
        if (mismatch)
            return base::Error{"the private key does not fit the certificate " + cert_file, key_file,
                               "name the key that the certificate was made for"};
        return unusable(key_file, "the private key", error);
    }
    return context;
}

std::chrono::seconds time_left(const TlsContext& context) {
    const X509* certificate = SSL_CTX_get0_certificate(context->native_handle());
    int days = 0, seconds = 0;
    if (certificate == nullptr || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return std::chrono::seconds(0);
    return std::chrono::hours(24) * days + std::chrono::seconds(seconds);
}

}  // namespace sftdyn::http
