// SPDX-License-Identifier: GPL-3.0-or-later
// The keys that encrypt TLS session tickets (RFC 5077, RFC 8446 §4.6.1).
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace sftdyn::http {

/// With a ticket's key an attacker can decrypt the session, even one recorded long ago (TLS 1.2). A
/// key therefore encrypts for an hour, decrypts for one more, and is then zeroized. All
/// certificates of a server share these keys. Thread-safe.
class TicketKeys {
public:
    static constexpr auto lifetime = std::chrono::hours(1);

    explicit TicketKeys(base::TimePoint now = base::Clock::now());
    ~TicketKeys();
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;

    /// Replaces and zeroizes keys that are too old at `now`. Must be called regularly, since an
    /// idle server has keys too.
    void rotate(base::TimePoint now);

    /// Makes `context` encrypt and decrypt its tickets with `keys`, which must outlive it. False:
    /// OpenSSL refuses.
    static bool use(SSL_CTX* context, TicketKeys& keys);

private:
    struct Key {
        std::array<unsigned char, 16> name;
        std::array<unsigned char, 32> cipher;
        std::array<unsigned char, 32> mac;
        base::TimePoint made;
    };
    using Slot = std::optional<Key>;

    static void fill(Slot& slot, base::TimePoint now);
    static void zeroize(Slot& slot);
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int sealing);
    int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
    int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
             EVP_MAC_CTX* mac);

    base::Mutex mutex_;
    /// Encrypts and decrypts; absent when the random generator failed.
    Slot current_ GUARDED_BY(mutex_);
    Slot previous_ GUARDED_BY(mutex_);  ///< decrypts only
};

}  // namespace sftdyn::http
