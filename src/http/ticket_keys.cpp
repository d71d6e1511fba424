// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace sftdyn::http {
namespace {

// Return values of the callback (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
constexpr int failed = -1, no_ticket = 0, good = 1, good_and_renew = 2;

/// The index of a context's pointer to its keys.
int keys_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

template <std::size_t Size>
bool set_mac(EVP_MAC_CTX* mac, std::array<unsigned char, Size>& key) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

TicketKeys::TicketKeys(base::TimePoint now) { fill(current_, now); }

TicketKeys::~TicketKeys() {
    zeroize(current_);
    zeroize(previous_);
}

void TicketKeys::rotate(base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    if (previous_ && now - previous_->made >= 2 * lifetime) zeroize(previous_);
    if (current_ && now - current_->made < lifetime) return;
    zeroize(previous_);
    if (current_ && now - current_->made < 2 * lifetime) previous_ = current_;
    zeroize(current_);
    fill(current_, now);
}

bool TicketKeys::use(SSL_CTX* context, TicketKeys& keys) {
    // A session is valid for one lifetime: until then its ticket's key can decrypt the ticket.
    SSL_CTX_set_timeout(context, std::chrono::seconds(lifetime).count());
    return SSL_CTX_set_ex_data(context, keys_index(), &keys) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

void TicketKeys::fill(Slot& slot, base::TimePoint now) {
    Key& key = slot.emplace();
    key.made = now;
    const bool filled =
        RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1 &&
        RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1 &&
        RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
    if (!filled) zeroize(slot);
}

void TicketKeys::zeroize(Slot& slot) {
    if (!slot) return;
    OPENSSL_cleanse(&*slot, sizeof *slot);
    slot.reset();
}

int TicketKeys::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int sealing) {
    auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index()));
    if (keys == nullptr) return no_ticket;
    keys->rotate(base::Clock::now());
    return sealing != 0 ? keys->seal(name, iv, cipher, mac) : keys->open(name, iv, cipher, mac);
}

int TicketKeys::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac) {
    const base::MutexLock lock(mutex_);
    if (!current_) return no_ticket;
    std::copy(current_->name.begin(), current_->name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return failed;
    if (EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), current_->cipher.data(), iv, nullptr) != 1)
        return failed;
    return set_mac(mac, current_->mac) ? good : failed;
}

int TicketKeys::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac) {
    const base::MutexLock lock(mutex_);
    const auto is = [name](const Slot& slot) {
        return slot && std::equal(slot->name.begin(), slot->name.end(), name);
    };
    const bool is_current = is(current_);
    if (!is_current && !is(previous_)) return no_ticket;
    Key& key = is_current ? *current_ : *previous_;
    if (EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key.cipher.data(), iv, nullptr) != 1)
        return failed;
    if (!set_mac(mac, key.mac)) return failed;
    return is_current ? good : good_and_renew;
}

}  // namespace sftdyn::http
