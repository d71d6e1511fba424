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

/// Where a host stands in a network that its router tells the prefix of.
struct Ipv6Place {
    boost::asio::ip::address_v6
        suffix{};              ///< the interface's identifier: its upper 64 bits are zero
    std::uint64_t subnet = 0;  ///< number of the network within the prefix that is delegated
};

/// A host that a client may update.
struct Host {
    update::HostId host{};
    std::uint32_t ttl{};   ///< seconds
    bool reverse = false;  ///< keep the address's PTR record too
    std::optional<Ipv6Place> place{};
};

/// Somebody with a name, and maybe a key, a user and several hosts.
struct Client {
    std::string name{};
    std::vector<Host> hosts{};
    bool may_set_address = false;  ///< may name another address than its own
    bool empty_removes = false;    ///< an address that it names without a value is removed
};

using ClientNumber = std::uint32_t;
constexpr ClientNumber no_client = ~ClientNumber(0);

/// What a key is for: one host, or a client's.
struct KeyEntry {
    update::HostId host{};
    std::uint32_t ttl{};   ///< seconds
    bool reverse = false;  ///< keep the address's PTR record too
    ClientNumber client = no_client;
};

/// An immutable table, made whole at each load of the configuration and then shared by all threads.
/// Keys and plain passwords are not kept: it holds a keyed hash of each, so that neither its memory
/// nor the time of a look-up tells anything of them.
class AccountDirectory {
public:
    AccountDirectory() = default;

    void reserve(std::size_t keys) { rows_.reserve(keys); }

    /// False when the key is there already.
    [[nodiscard]] bool add(std::string_view key, const KeyEntry& entry);

    ClientNumber add(Client client);
    /// The client's user with a password, or with the hash of one (argon2's encoded form). False
    /// when the user is there.
    [[nodiscard]] bool add_user(const std::string& user, ClientNumber client,
                                std::string_view password, std::string password_hash);

    /// The entry for `key`, or null.
    [[nodiscard]] const KeyEntry* find(std::string_view key) const;
    /// The client of an entry: its own, or one made of it.
    [[nodiscard]] Client client(const KeyEntry& entry) const;
    [[nodiscard]] const Client& client(ClientNumber number) const { return clients_[number]; }

    /// A user of dyndns2 or another dialect with user names: whose it is, and what its password is
    /// compared with.
    struct User {
        ClientNumber client = no_client;
        base::KeyedHash::Digest password{};  ///< of a plain one
        std::string password_hash{};         ///< empty: it is plain
    };
    /// A hash to be verified in place of the one that `user` has not, so that it takes as long;
    /// empty: no user has any. Where hashes differ in what they cost, names that are nobody's
    /// differ in the same way, and each name always costs the same.
    [[nodiscard]] const std::string& dummy_hash(std::string_view user) const;

    /// Which addresses may be published.
    [[nodiscard]] const base::AddressRules& rules() const { return rules_; }
    void set_rules(base::AddressRules rules) { rules_ = std::move(rules); }

    /// Null when there is no such user.
    [[nodiscard]] const User* user(std::string_view name) const;
    /// The user whose client has the host, the first of several; null: there is none.
    [[nodiscard]] const std::string* user_of(update::HostId host) const;
    /// Whether it is the user's password; only for a plain one.
    [[nodiscard]] bool is_password(const User& user, std::string_view password) const;

    [[nodiscard]] std::size_t size() const { return rows_.size(); }

private:
    using Digest = base::KeyedHash::Digest;
    /// A key, and what it is for.
    struct KeyRow {
        Digest digest;
        KeyEntry entry;
    };
    struct RowHash {
        using is_transparent = void;
        using is_avalanching = void;  // each bit of a digest is as good as random
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
    boost::unordered_flat_map<update::HostId, std::string> users_of_hosts_;
    std::vector<std::string> dummy_hashes_;  ///< one for each cost that there is
    base::AddressRules rules_;
};

}  // namespace sftdyn::accounts
