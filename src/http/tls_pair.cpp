// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/tls_pair.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "base/kept_from.hpp"
#include "base/system_error.hpp"
#include "http/secret_buffer.hpp"

namespace sftdyn::http {
namespace {

// 1 MiB; a chain takes a few KiB.
constexpr std::size_t largest_file = 1 << 20;

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

/// One of the two files, and the name of its content in messages.
struct PemFile {
    const std::string& path;
    const char* content;
};

base::Error unreadable(const PemFile& file, const std::string& reason) {
    return {fmt::format("{} can't be read: {}", file.content, reason), file.path,
            base::is_kept_from(file.path) ? base::sandbox_remedy
                                          : "name a file that the user sftdyn runs as may read"};
}

base::Error unusable(const PemFile& file, const std::string& reason) {
    return {fmt::format("{} is not usable: {}", file.content, reason), file.path,
            "expected PEM, as Let's Encrypt's fullchain.pem and privkey.pem"};
}

base::Result<void> read_file(const PemFile& file, SecretText& text) {
    const base::Descriptor descriptor(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!descriptor) return unreadable(file, base::system_error_text(errno));
    struct stat info {};
    if (fstat(descriptor.get(), &info) != 0)
        return unreadable(file, base::system_error_text(errno));
    if (!S_ISREG(info.st_mode)) return unreadable(file, "it is not a regular file");

    std::array<char, 4096> part{};
    ssize_t size = 0;
    while (text.view().size() <= largest_file &&
           (size = ::read(descriptor.get(), part.data(), part.size())) > 0)
        text.append({part.data(), static_cast<std::size_t>(size)}, largest_file);
    const int error = errno;
    OPENSSL_cleanse(part.data(), part.size());
    if (size < 0) return unreadable(file, base::system_error_text(error));
    if (text.view().empty()) return unusable(file, "the file is empty");
    if (text.view().size() > largest_file) return unusable(file, "the file is larger than 1 MiB");
    return {};
}

base::Error swapped(const PemFile& file, const char* what) {
    ERR_clear_error();
    return {fmt::format("{} is not usable: {}", file.content, what), file.path,
            "are cert and key swapped? cert is the file with the certificate, key that with the "
            "private key"};
}

/// Whether an incomplete part follows the last complete one, because the file is still being
/// written.
bool is_half_written(std::string_view text) {
    const std::size_t end = text.rfind("-----END ");
    const std::size_t next = end == std::string_view::npos ? end : text.find("\n--", end);
    return next != std::string_view::npos;
}

/// Parses the certificates of the file, the server's own first.
base::Result<void> parse_certificates(const PemFile& file, std::string_view text, TlsPair& pair) {
    const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    pair.chain.reset(sk_X509_new_null());
    if (!bio || !pair.chain) return unusable(file, last_tls_reason());
    ERR_clear_error();
    pair.certificate.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
    while (pair.certificate) {
        TlsPart<X509> next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
        if (!next) break;
        if (sk_X509_push(pair.chain.get(), next.get()) <= 0)
            return unusable(file, last_tls_reason());
        static_cast<void>(next.release());
    }
    const auto error = ERR_peek_last_error();
    const bool at_end =
        ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (!at_end) return unusable(file, last_tls_reason());
    ERR_clear_error();
    if (!pair.certificate && text.find("PRIVATE KEY-----") != std::string_view::npos)
        return swapped(file, "there is a private key in it, and no certificate");
    if (!pair.certificate) return unusable(file, "there is no certificate in it");
    if (is_half_written(text)) return unusable(file, "it ends within a certificate");
    return {};
}

base::Result<void> parse_key(const PemFile& file, std::string_view text, TlsPair& pair) {
    const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!bio) return unusable(file, last_tls_reason());
    bool is_encrypted = false;
    const auto on_password = [](char*, int, int, void* asked) {
        *static_cast<bool*>(asked) = true;
        return -1;
    };
    ERR_clear_error();
    pair.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, on_password, &is_encrypted));
    if (is_encrypted) {
        ERR_clear_error();
        return base::Error{"the private key is encrypted", file.path,
                           "sftdyn starts without anybody to type a password: decrypt it (openssl "
                           "pkey -in … -out …)"};
    }
    if (!pair.key && text.find("BEGIN CERTIFICATE-----") != std::string_view::npos)
        return swapped(file, "there is a certificate in it, and no private key");
    if (!pair.key) {
        const std::string reason = last_tls_reason();
        return unusable(file, text.find("PRIVATE KEY-----") == std::string_view::npos
                                  ? "there is no private key in it"
                                  : reason);
    }
    ERR_clear_error();
    switch (EVP_PKEY_get_base_id(pair.key.get())) {
        case EVP_PKEY_RSA:
        case EVP_PKEY_RSA_PSS:
        case EVP_PKEY_EC:
        case EVP_PKEY_ED25519:
        case EVP_PKEY_ED448:
            return {};
        default:
            return unusable(
                file, "TLS has no use for a key of its kind; make one of RSA, ECDSA or Ed25519");
    }
}

bool fits(const X509* certificate, const EVP_PKEY* key) {
    const bool out = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();  // a mismatch is a result, not an error
    return out;
}

base::Error misfit(const TlsPair& pair, const std::string& cert_file, const std::string& key_file) {
    for (int i = 0; i < sk_X509_num(pair.chain.get()); ++i) {
        if (!fits(sk_X509_value(pair.chain.get(), i), pair.key.get())) continue;
        return {fmt::format("the private key does not fit the certificate {}: it is for number {} "
                            "of those in the file",
                            cert_file, i + 2),
                key_file, "put the server's own certificate first, and its chain behind it"};
    }
    if (X509_check_ca(pair.certificate.get()) == 1)
        return {
            fmt::format("the private key does not fit the certificate {}, which is an authority's",
                        cert_file),
            key_file,
            "name a file that begins with the server's own certificate, and the key that it was "
            "made for"};
    return {"the private key does not fit the certificate " + cert_file, key_file,
            "name the key that the certificate was made for"};
}

}  // namespace

std::string last_tls_reason() {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != nullptr ? reason : "OpenSSL does not say why";
}

base::Result<TlsPair> read_pair(const std::string& cert_file, const std::string& key_file) {
    const PemFile cert{cert_file, "the certificate"}, key{key_file, "the private key"};
    TlsPair pair;
    SecretText cert_text, key_text;
    if (const auto read = read_file(cert, cert_text); read.has_error()) return read.error();
    if (const auto parsed = parse_certificates(cert, cert_text.view(), pair); parsed.has_error())
        return parsed.error();
    if (const auto read = read_file(key, key_text); read.has_error()) return read.error();
    if (const auto parsed = parse_key(key, key_text.view(), pair); parsed.has_error())
        return parsed.error();
    if (!fits(pair.certificate.get(), pair.key.get())) return misfit(pair, cert_file, key_file);
    return pair;
}

}  // namespace sftdyn::http
