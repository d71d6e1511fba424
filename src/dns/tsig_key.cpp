// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <openssl/crypto.h>

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "dns/knot.hpp"
#include "dns/name.hpp"

namespace sftdyn::dns {
const char* known_algorithms() {
    return "hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512";
}

base::Result<TsigKey> TsigKey::make(std::string_view name, std::string_view algorithm,
                                    const base::Secret& secret) {
    const auto parsed = Name::parse(name);
    if (!parsed.has_value())
        return base::Error{"the key's name is not a domain name", "",
                           "use the name that the DNS server knows the key by"};

    std::string wanted = base::ascii_lower(algorithm);
    if (wanted.ends_with('.')) wanted.pop_back();
    if (wanted == "hmac-md5.sig-alg.reg.int") wanted = "hmac-md5";
    if (dnssec_tsig_algorithm_from_name(wanted.c_str()) == DNSSEC_TSIG_UNKNOWN) {
        return base::Error{"the algorithm \"" + wanted.substr(0, 40) + "\" is not known", "",
                           std::string("use one of ") + known_algorithms()};
    }
    if (!base::is_base64(secret.reveal())) {
        return base::Error{
            "the secret is not Base64", "",
            "copy it whole from the DNS server's key, or make a new key with tsig-keygen"};
    }
    TsigKey key;
    const int rc =
        knot_tsig_key_init(&key.key_, wanted.c_str(), parsed->text().c_str(), secret.c_str());
    if (rc != KNOT_EOK)
        return base::Error{"the secret is not usable", "", "make a new key with tsig-keygen"};
    return key;
}

TsigKey::TsigKey(TsigKey&& other) noexcept : key_(std::exchange(other.key_, {})) {}

TsigKey::~TsigKey() {
    if (key_.secret.data != nullptr) OPENSSL_cleanse(key_.secret.data, key_.secret.size);
    knot_tsig_key_deinit(&key_);
}

std::string TsigKey::name() const { return Name::from_wire(key_.name).text(); }
std::string TsigKey::algorithm() const { return dnssec_tsig_algorithm_to_name(key_.algorithm); }

}  // namespace sftdyn::dns
