// SPDX-License-Identifier: GPL-3.0-or-later
// Which credential may update which host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address_v6.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "base/address_rules.hpp"
#include "base/keyed_hash.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::accounts {

/// The place of a host in a network whose prefix its router reports.
struct Ipv6Place {
    boost::asio::ip::address_v6 suffix{};  ///< interface identifier; its upper 64 bits are zero
    std::uint64_t subnet = 0;              ///< subnet number within the delegated prefix
};

/// A host that a client may update.
struct Host {
    update::HostId host{};
    std::uint32_t ttl{};   ///< seconds
    bool reverse = false;  ///< also maintain the address's PTR record
    std::optional<Ipv6Place> place{};
};

/// A client of the configuration: its name and its hosts. Keys and users refer to it.
struct Client {
    std::string name{};
    std::vector<Host> hosts{};
    bool may_set_address = false;  ///< may set an address other than its own
};

using ClientNumber = std::uint32_t;
constexpr ClientNumber no_client = ~ClientNumber(0);

/// What a key may update: one host, or the hosts of a client.
struct KeyEntry {
    update::HostId host{};
    std::uint32_t ttl{};   ///< seconds
    bool reverse = false;  ///< also maintain the address's PTR record
    ClientNumber client = no_client;
};

/// A table that is built at each load of the configuration, and is then immutable and shared by all
/// threads. It holds keyed hashes instead of keys and plain passwords, so that neither its memory
/// nor the time of a lookup reveals them.
class AccountDirectory {
public:
    AccountDirectory() = default;

    void reserve(std::size_t keys) { rows_.reserve(keys); }

    /// False when the key exists already.
    [[nodiscard]] bool add(std::string_view key, const KeyEntry& entry);

    ClientNumber add(Client client);
    /// Adds a user of the client, with a plain password or with an encoded argon2 hash. False when
    /// the user exists already.
    [[nodiscard]] bool add_user(const std::string& user, ClientNumber client,
                                std::string_view password, std::string password_hash);

    /// The entry for `key`, or null.
    [[nodiscard]] const KeyEntry* find(std::string_view key) const;
    /// The client of an entry; for a key without a client, one with only the key's host.
    [[nodiscard]] Client client(const KeyEntry& entry) const;
    [[nodiscard]] const Client& client(ClientNumber number) const { return clients_[number]; }

    /// A user of dyndns2 or another dialect with user names: its client, and what its password is
    /// compared with.
    struct User {
        ClientNumber client = no_client;
        base::KeyedHash::Digest password{};  ///< of a plain password
        std::string password_hash{};         ///< empty: the password is plain
    };
    /// The hash to verify for a user without one, so that an unknown user takes as long as a known
    /// one; empty when no user has a hash. When the hashes differ in cost, unknown names differ in
    /// the same way, and each name always has the same cost.
    [[nodiscard]] const std::string& dummy_hash(std::string_view user) const;

    /// Which addresses may be published.
    [[nodiscard]] const base::AddressRules& rules() const { return rules_; }
    void set_rules(base::AddressRules rules) { rules_ = std::move(rules); }

    /// Null when there is no such user.
    [[nodiscard]] const User* user(std::string_view name) const;
    /// Whether `password` is the user's plain password; false for a user with a hash.
    [[nodiscard]] bool is_password(const User& user, std::string_view password) const;

    [[nodiscard]] std::size_t size() const { return rows_.size(); }

private:
    using Digest = base::KeyedHash::Digest;
    /// The digest of a key, and its entry.
    struct KeyRow {
        Digest digest;
        KeyEntry entry;
    };
    struct RowHash {
        using is_transparent = void;
        using is_avalanching = void;  // the bits of a digest are uniformly distributed
        std::size_t operator()(const Digest& digest) const { return digest[0]; }
        std::size_t operator()(const KeyRow& row) const { return row.digest[0]; }
    };
    struct RowEqual {
        using is_transparent = void;
        bool operator()(const KeyRow& a, const KeyRow& b) const { return a.digest == b.digest; }
        bool operator()(const KeyRow& row, const Digest& digest) const {
            return row.digest == digest;
        }
        bool operator()(const Digest& digest, const KeyRow& row) const {
            return row.digest == digest;
        }
    };

    base::KeyedHash hash_;
    boost::unordered_flat_set<KeyRow, RowHash, RowEqual> rows_;
    std::vector<Client> clients_;
    boost::unordered_flat_map<std::string, User> users_;
    std::vector<std::string> dummy_hashes_;  ///< one for each distinct cost
    base::AddressRules rules_;
};

}  // namespace sftdyn::accounts
