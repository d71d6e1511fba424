#include "hosts/directory.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/random.hpp"

namespace sftdyn::hosts {
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
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &octets), OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_CTX_set_params(context.get(), params) != 1) {
        throw std::runtime_error("OpenSSL lacks SipHash: is its default provider switched off?");
    }
    return context;
}

}  // namespace

Directory::Directory() : seed_{base::random_u64(), base::random_u64()} {}

Directory::Digest Directory::digest(std::string_view key) const {
    thread_local const MacContext context = new_siphash();
    Digest out{};
    std::size_t size = 0;
    const auto* seed = reinterpret_cast<const unsigned char*>(seed_.data());
    if (EVP_MAC_init(context.get(), seed, 16, nullptr) != 1 ||
        EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size()) != 1 ||
        EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, sizeof out) != 1 || size != sizeof out) {
        throw std::runtime_error("SipHash failed");
    }
    return out;
}

std::size_t Directory::position(const Digest& digest) const {
    std::size_t at = digest[0] & (rows_.size() - 1);
    while (rows_[at].digest != Digest{} && rows_[at].digest != digest) at = (at + 1) & (rows_.size() - 1);
    return at;
}

void Directory::grow(std::size_t rows) {
    std::vector<Row> old(rows);
    old.swap(rows_);
    for (const Row& row : old) {
        if (row.digest != Digest{}) rows_[position(row.digest)] = row;
    }
}

void Directory::reserve(std::size_t keys) {
    std::size_t rows = 16;
    while (rows * 3 / 4 < keys) rows *= 2;
    if (rows > rows_.size()) grow(rows);
}

bool Directory::add(std::string_view key, const Entry& entry) {
    reserve(count_ + 1);
    const Digest digest = this->digest(key);
    Row& row = rows_[position(digest)];
    if (row.digest != Digest{}) return false;
    row = {digest, entry};
    ++count_;
    return true;
}

const Entry* Directory::find(std::string_view key) const {
    if (rows_.empty()) return nullptr;
    const Row& row = rows_[position(digest(key))];
    return row.digest != Digest{} ? &row.entry : nullptr;
}

}  // namespace sftdyn::hosts
