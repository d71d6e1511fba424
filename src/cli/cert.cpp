#include "cli/cert.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>

#include "base/network.hpp"
#include "base/new_file.hpp"
#include "dns/name.hpp"

namespace sftdyn::cli {
namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* what) const {
        Free(what);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;

const base::Error openssl_failed{"OpenSSL could not make the certificate", "", "is the system's OpenSSL intact?"};

/// "DNS:name" or "IP:address", as subjectAltName wants it (RFC 5280 §4.2.1.6).
base::Result<std::string> alternative_name(const std::string& host) {
    const auto address = base::parse_address(host);
    if (address) return base::Result<std::string>(boost::system::in_place_value, "IP:" + address->to_string());
    const auto name = dns::Name::parse_host(host);
    if (name.has_error()) return name.error();
    return base::Result<std::string>(boost::system::in_place_value, "DNS:" + name->text());
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

base::Result<Certificate> make_certificate(EVP_PKEY* key, const std::vector<std::string>& hosts, int days) {
    std::string names;
    for (const auto& host : hosts) {
        const auto name = alternative_name(host);
        if (name.has_error()) return name.error();
        names += (names.empty() ? "" : ",") + *name;
    }
    Certificate certificate(X509_new());
    std::uint64_t serial = 0;
    if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return openssl_failed;
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    const std::string common_name = hosts.front().substr(0, 64);  // its upper bound (RFC 5280 A.1); the names that count stand in subjectAltName
    const bool made =
        X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600) != nullptr &&
        X509_time_adj_ex(X509_getm_notAfter(certificate.get()), days, 0, nullptr) != nullptr &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate.get(), subject) == 1 && X509_set_pubkey(certificate.get(), key) == 1 &&
        add_extension(certificate.get(), NID_subject_alt_name, names) &&
        add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") && X509_sign(certificate.get(), key, EVP_sha256()) != 0;
    if (!made) return openssl_failed;
    return certificate;
}

/// The PEM text that `write` puts into a BIO.
template <class Write>
base::Result<std::string> pem(Write write) {
    const Bio bio(BIO_new(BIO_s_mem()));
    char* data = nullptr;
    if (!bio || write(bio.get()) != 1) return openssl_failed;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return base::Result<std::string>(boost::system::in_place_value, data, static_cast<std::size_t>(size));
}

constexpr const char* elsewhere = "choose another folder with --dir";

base::Result<void> make(const config::CommandLine& line, const std::filesystem::path& key_file, const std::filesystem::path& cert_file) {
    const Key key(EVP_EC_gen("P-256"));
    if (!key) return openssl_failed;
    const auto certificate = make_certificate(key.get(), line.cert_hosts, line.cert_days);
    if (certificate.has_error()) return certificate.error();
    const auto key_text = pem([&](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    if (key_text.has_error()) return key_text.error();
    const auto cert_text = pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate->get()); });
    if (cert_text.has_error()) return cert_text.error();
    if (auto result = base::create_file(key_file, *key_text, 0600, elsewhere); result.has_error()) return result;
    return base::create_file(cert_file, *cert_text, 0644, elsewhere);
}

}  // namespace

int run_cert(const config::CommandLine& line) {
    const std::filesystem::path folder(line.cert_folder);
    const auto key_file = folder / "server.key", cert_file = folder / "server.crt";
    const auto made = make(line, key_file, cert_file);
    if (made.has_error()) {
        std::cerr << made.error().text() << '\n';
        return 1;
    }
    const auto absolute = [](const std::filesystem::path& path) { return std::filesystem::absolute(path).lexically_normal().string(); };
    std::cout << fmt::format(
        "Made {} (keep it secret) and {}, valid for {} days.\n\nIn the configuration:\n\n  https = \"4443\"\n  cert = \"{}\"\n  key = \"{}\"\n\n"
        "Copy {} to each client, and there:\n\n  curl --cacert server.crt https://{}:4443/yourkey\n",
        key_file.string(), cert_file.string(), line.cert_days, absolute(cert_file), absolute(key_file), cert_file.string(), line.cert_hosts.front());
    return 0;
}

}  // namespace sftdyn::cli
