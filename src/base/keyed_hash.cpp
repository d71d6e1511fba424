// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/keyed_hash.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/random.hpp"

namespace sftdyn::base {
namespace {

struct FreeMac {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

MacContext new_siphash() {
    EVP_MAC* siphash = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_SIPHASH, nullptr);
    MacContext context(siphash != nullptr ? EVP_MAC_CTX_new(siphash) : nullptr);
    EVP_MAC_free(siphash);
    std::size_t octets = 16;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &octets),
                                 OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_CTX_set_params(context.get(), params) != 1) {
        throw std::runtime_error("OpenSSL lacks SipHash: is its default provider switched off?");
    }
    return context;
}

[[noreturn]] void fail() { throw std::runtime_error("SipHash failed"); }

void add(EVP_MAC_CTX* context, std::string_view text) {
    if (EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()), text.size()) !=
        1)
        fail();
}

}  // namespace

KeyedHash::KeyedHash() : key_{random_u64(), random_u64()} {}

template <typename Feed>
KeyedHash::Digest KeyedHash::mac(const Feed& feed) const {
    thread_local const MacContext context = new_siphash();
    Digest out{};
    std::size_t size = 0;
    const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
    if (EVP_MAC_init(context.get(), key, 16, nullptr) != 1) fail();
    feed(context.get());
    if (EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                      sizeof out) != 1 ||
        size != sizeof out)
        fail();
    return out;
}

KeyedHash::Digest KeyedHash::operator()(std::string_view text) const {
    return mac([&](EVP_MAC_CTX* context) { add(context, text); });
}

KeyedHash::Digest KeyedHash::of_all(std::initializer_list<std::string_view> texts) const {
    return mac([&](EVP_MAC_CTX* context) {
        for (const std::string_view text : texts) {
            const std::uint64_t size = text.size();
            add(context, {reinterpret_cast<const char*>(&size), sizeof size});
            add(context, text);
        }
    });
}

}  // namespace sftdyn::base
