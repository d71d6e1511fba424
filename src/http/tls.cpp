// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/tls.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/ascii.hpp"
#include "http/tls_pair.hpp"

namespace sftdyn::http {
namespace {

namespace ssl = boost::asio::ssl;

// Mozilla's "intermediate" profile, version 5.7: forward secrecy and authenticated encryption only.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-"
    "RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:prime256v1:secp384r1";

/// ALPN (RFC 7301): selects http/1.1, the only protocol. A client that offers only others gets no
/// ALPN extension.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// The index of a connection's pointer to the certificates that it may use.
int certificates_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int choose_certificate(SSL* ssl, int*, void*) {
    const auto* certificates =
        static_cast<const std::vector<TlsCertificate>*>(SSL_get_ex_data(ssl, certificates_index()));
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (certificates == nullptr || name == nullptr || certificates->size() < 2)
        return SSL_TLSEXT_ERR_OK;
    SSL_CTX* chosen = choose(*certificates, name).context->native_handle();
    if (chosen != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, chosen);
    return SSL_TLSEXT_ERR_OK;
}

/// The DNS names of the certificate's subjectAltName (RFC 5280 §4.2.1.6).
std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> out;
    auto* names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS) continue;
        const auto* octets = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
        out.push_back(base::ascii_lower(
            {octets, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
    }
    GENERAL_NAMES_free(names);
    return out;
}

constexpr const char* usual_certificate =
    "make one that public authorities would: RSA of 2048 bits or more, ECDSA P-256 or Ed25519";

/// Whether a client that accepts any certificate can connect with `version`; tested in memory. A
/// matching pair may still be unusable for every client (an EC key on a curve that TLS does not
/// use).
bool serves(SSL_CTX* server_context, int version) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!client_context) throw std::bad_alloc();
    SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_security_level(client_context.get(), 0);
    const std::unique_ptr<SSL, FreeTls> client(SSL_new(client_context.get())),
        server(SSL_new(server_context));
    BIO *of_client = nullptr, *of_server = nullptr;
    if (!client || !server || BIO_new_bio_pair(&of_client, 0, &of_server, 0) != 1)
        throw std::bad_alloc();
    SSL_set_bio(client.get(), of_client, of_client);
    SSL_set_bio(server.get(), of_server, of_server);
    SSL_set_min_proto_version(client.get(), version);
    SSL_set_max_proto_version(client.get(), version);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    // Each turn lets both sides send a flight.
    for (int turn = 0; turn < 10; ++turn) {
        const int client_done = SSL_do_handshake(client.get());
        const int server_done = SSL_do_handshake(server.get());
        if (client_done == 1 && server_done == 1) return true;
        const auto waits = [](const SSL* ssl, int done) {
            return done == 1 || SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ;
        };
        if (!waits(server.get(), server_done) || !waits(client.get(), client_done)) return false;
    }
    return false;
}

bool matches(const std::string& pattern, const std::string& name) {
    if (!pattern.starts_with("*.")) return pattern == name;
    const std::size_t dot = name.find('.');
    return dot != std::string::npos && dot > 0 && name.substr(dot) == pattern.substr(1);
}

}  // namespace

base::Result<TlsCertificate> read_certificate(const std::string& cert_file,
                                              const std::string& key_file,
                                              std::shared_ptr<TicketKeys> tickets,
                                              TlsVersion least) {
    const auto pair = read_pair(cert_file, key_file);
    if (pair.has_error()) return pair.error();

    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* raw = context->native_handle();
    SSL_CTX_set_min_proto_version(raw,
                                  least == TlsVersion::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    // The server's order of ciphers, except for clients that prefer ChaCha20 (small machines
    // without AES instructions).
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // An idle connection holds no buffers. Sessions are stored by the client, in tickets (RFC 5077,
    // RFC 8446 §4.6.1).
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(raw, 1);
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    SSL_CTX_set_tlsext_servername_callback(raw, choose_certificate);
    // Received plaintext is zeroized after it is handed over, so that an idle connection holds no
    // key.
    SSL_CTX_set_options(raw, SSL_OP_CLEANSE_PLAINTEXT | (tickets ? 0 : SSL_OP_NO_TICKET));
    static constexpr unsigned char session_context[] = "sftdyn";
    if (SSL_CTX_set_cipher_list(raw, tls12_ciphers) != 1 ||
        SSL_CTX_set1_groups_list(raw, groups) != 1 ||
        SSL_CTX_set_session_id_context(raw, session_context, sizeof session_context - 1) != 1 ||
        (tickets && !TicketKeys::use(raw, *tickets))) {
        return base::Error{"OpenSSL does not know the ciphers that sftdyn needs", "",
                           "is its configuration (openssl.cnf) very restrictive?"};
    }

    if (SSL_CTX_use_cert_and_key(raw, pair->certificate.get(), pair->key.get(), pair->chain.get(),
                                 1) != 1 ||
        SSL_CTX_get0_certificate(raw) == nullptr) {
        return base::Error{fmt::format("the certificate is not usable: {}", last_tls_reason()),
                           cert_file, usual_certificate};
    }
    if (!serves(raw, TLS1_3_VERSION) && !serves(raw, TLS1_2_VERSION)) {
        return base::Error{fmt::format("no TLS client could use the certificate's kind of key: {}",
                                       last_tls_reason()),
                           cert_file, usual_certificate};
    }
    ERR_clear_error();
    return TlsCertificate{context, names_of(pair->certificate.get()), std::move(tickets)};
}

std::time_t expiry_of(const TlsCertificate& certificate) {
    const X509* x509 = SSL_CTX_get0_certificate(certificate.context->native_handle());
    std::tm time{};
    if (x509 == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(x509), &time) != 1) return 0;
    return timegm(&time);
}

std::chrono::seconds time_left(const TlsCertificate& certificate) {
    return std::chrono::seconds(expiry_of(certificate) - std::time(nullptr));
}

const TlsCertificate& choose(const std::vector<TlsCertificate>& certificates,
                             std::string_view server_name) {
    const std::string name = base::ascii_lower(server_name);
    // An exact name takes precedence over a wildcard.
    for (const bool wildcard : {false, true}) {
        for (const auto& certificate : certificates) {
            const auto fits = [&](const std::string& pattern) {
                return pattern.starts_with("*.") == wildcard && matches(pattern, name);
            };
            if (std::any_of(certificate.names.begin(), certificate.names.end(), fits))
                return certificate;
        }
    }
    return certificates.front();
}

std::unique_ptr<SSL, FreeTls> new_tls(const TlsContext& context) {
    std::unique_ptr<SSL, FreeTls> ssl(SSL_new(context->front().context->native_handle()));
    // OpenSSL takes a pointer to non-const; nothing is written through it.
    if (ssl && SSL_set_ex_data(ssl.get(), certificates_index(),
                               const_cast<std::vector<TlsCertificate>*>(context.get())) != 1)
        ssl.reset();
    return ssl;
}

}  // namespace sftdyn::http
