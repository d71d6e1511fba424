// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/cert.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>

#include "base/exclusive_file.hpp"
#include "base/network.hpp"
#include "base/own_file.hpp"
#include "base/secret.hpp"
#include "dns/name.hpp"

namespace sftdyn::commands {
namespace {

struct CertOptions {
    std::vector<std::string> hosts{};  ///< names and addresses in the certificate
    int days = 1337;                   ///< validity
    std::string folder = ".";          ///< of the two files
};

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

const base::Error openssl_failed{"OpenSSL could not make the certificate", "",
                                 "is the system's OpenSSL intact?"};

/// "DNS:name" or "IP:address", for subjectAltName (RFC 5280 §4.2.1.6).
base::Result<std::string> alternative_name(const std::string& host) {
    const auto address = base::parse_address(host);
    if (address)
        return base::Result<std::string>(boost::system::in_place_value,
                                         "IP:" + address->to_string());
    const auto name = dns::Name::parse_host(host);
    if (name.has_error()) return name.error();
    return base::Result<std::string>(boost::system::in_place_value, "DNS:" + name->text());
}

/// Adds an extension to a self-signed certificate.
bool add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// The digest for the signature; null: the key's algorithm has a built-in one (RFC 8032).
const EVP_MD* digest_for(const EVP_PKEY* key) {
    return EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1 ? nullptr
                                                                                  : EVP_sha256();
}

base::Result<Certificate> make_certificate(EVP_PKEY* key, const std::vector<std::string>& hosts,
                                           int days) {
    std::string names;
    for (const auto& host : hosts) {
        const auto name = alternative_name(host);
        if (name.has_error()) return name.error();
        names += (names.empty() ? "" : ",") + *name;
    }
    Certificate certificate(X509_new());
    std::uint64_t serial = 0;
    if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
        return openssl_failed;
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    const std::string common_name =
        hosts.front().substr(0, 64);  // upper bound (RFC 5280 A.1); clients check subjectAltName
    const bool made =
        X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600) != nullptr &&
        X509_time_adj_ex(X509_getm_notAfter(certificate.get()), days, 0, nullptr) != nullptr &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                   -1, 0) == 1 &&
        X509_set_issuer_name(certificate.get(), subject) == 1 &&
        X509_set_pubkey(certificate.get(), key) == 1 &&
        add_extension(certificate.get(), NID_subject_alt_name, names) &&
        // Clients that trust this certificate do not trust others that its key signs (RFC 5280
        // §4.2.1.9).
        add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
        add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") &&
        add_extension(certificate.get(), NID_subject_key_identifier, "hash") &&
        add_extension(certificate.get(), NID_authority_key_identifier, "keyid:always") &&
        X509_sign(certificate.get(), key, digest_for(key)) != 0;
    if (!made) return openssl_failed;
    return certificate;
}

/// The PEM text that `write` writes into a BIO.
template <class Write>
base::Result<std::string> pem(Write write) {
    const Bio bio(BIO_new(BIO_s_mem()));
    char* data = nullptr;
    if (!bio || write(bio.get()) != 1) return openssl_failed;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return base::Result<std::string>(boost::system::in_place_value, data,
                                     static_cast<std::size_t>(size));
}

constexpr const char* elsewhere = "choose another folder with --dir";

namespace fs = std::filesystem;

/// Whether the path exists, also as a dangling symbolic link.
bool is_there(const fs::path& path) {
    std::error_code error;  // ignored: creating the file reports it
    return fs::exists(fs::symlink_status(path, error));
}

/// Reads the private key of an earlier run that ended before it published the certificate; null:
/// there is none.
base::Result<Key> read_key(const fs::path& file) {
    constexpr std::size_t largest_key = 1 << 20;
    const auto text = base::read_own_file(file, largest_key, elsewhere);
    if (text.has_error()) return text.error();
    if (!*text) return Key();
    const std::string_view pem_text = (*text)->reveal();
    const Bio bio(BIO_new_mem_buf(pem_text.data(), static_cast<int>(pem_text.size())));
    const auto no_password = [](char*, int, int, void*) { return 0; };
    Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
    ERR_clear_error();
    if (!key)
        return base::Error{"already exists, and is no private key that can be used", file.string(),
                           std::string("move it away first, or ") + elsewhere};
    return key;
}

base::Result<void> make(const CertOptions& options, const fs::path& key_file,
                        const fs::path& cert_file, const Console& console) {
    if (is_there(cert_file))
        return base::Error{"can't be made: File exists", cert_file.string(),
                           std::string("move the old one away first, or ") + elsewhere};
    auto old_key = read_key(key_file);
    if (old_key.has_error()) return old_key.error();
    const bool has_key = *old_key != nullptr;
    const Key key = has_key ? std::move(*old_key) : Key(EVP_EC_gen("P-256"));
    if (!key) return openssl_failed;
    const auto certificate = make_certificate(key.get(), options.hosts, options.days);
    if (certificate.has_error()) return certificate.error();
    auto key_text = pem([&](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    if (key_text.has_error()) return key_text.error();
    const auto cert_text =
        pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate->get()); });
    if (cert_text.has_error()) return cert_text.error();
    // Both files are completely written before the first is published.
    auto new_key = base::NewFile::make({key_file, *key_text, 0600, {}, false}, elsewhere);
    base::zeroize(*key_text);
    if (new_key.has_error()) return new_key.error();
    auto new_cert = base::NewFile::make({cert_file, *cert_text, 0644, {}, false}, elsewhere);
    if (new_cert.has_error()) return new_cert.error();
    if (has_key) {
        console.out << fmt::format("{} already exists: the certificate is made for it.\n",
                                   key_file.string());
        return new_cert->publish();
    }
    if (auto published = new_key->publish(); published.has_error()) return published;
    auto published = new_cert->publish();
    if (published.has_error()) new_key->withdraw();
    return published;
}

/// The host as it is written in a URL (RFC 3986 §3.2.2).
std::string in_url(const std::string& host) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address_v6(host, error);
    return error ? host : fmt::format("[{}]", address.to_string());
}

/// A host for the example. If all are wildcards, a name below the first.
std::string example_host(const std::vector<std::string>& hosts) {
    const auto is_wildcard = [](const std::string& host) { return host.starts_with("*."); };
    const auto host = std::find_if_not(hosts.begin(), hosts.end(), is_wildcard);
    return host == hosts.end() ? "home" + hosts.front().substr(1) : in_url(*host);
}

int cert(const CertOptions& options, const Console& console) {
    const fs::path folder(options.folder);
    const auto key_file = folder / "server.key", cert_file = folder / "server.crt";
    const auto made = make(options, key_file, cert_file, console);
    if (made.has_error()) {
        console.err << made.error().text() << '\n';
        return 1;
    }
    const auto absolute = [](const fs::path& path) {
        return fs::absolute(path).lexically_normal().string();
    };
    console.out << fmt::format(
        "Made {} (keep it secret) and {}, valid for {} days.\n\nIn the configuration:\n\n  https = "
        "\"4443\"\n  cert = \"{}\"\n  key = \"{}\"\n\n"
        "Copy {} to each client, and there:\n\n  curl --cacert server.crt "
        "https://{}:4443/yourkey\n",
        key_file.string(), cert_file.string(), options.days, absolute(cert_file),
        absolute(key_file), cert_file.string(), example_host(options.hosts));
    return 0;
}

}  // namespace

void add_cert(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "cert", "Make a private key and a self-signed certificate for HTTPS");
    const auto options = std::make_shared<CertOptions>();
    app.add_option("HOSTNAME", options->hosts,
                   "The names and addresses that clients reach this server by")
        ->required();
    app.add_option("--days", options->days, "How long it is valid")
        ->check(CLI::Range(1, 36500))
        ->capture_default_str();
    app.add_option("--dir", options->folder, "Where server.key and server.crt go")
        ->capture_default_str();
    app.callback([&line, options] {
        line.run = [options](const Console& console) { return cert(*options, console); };
    });
}

}  // namespace sftdyn::commands
