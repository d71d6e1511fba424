// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/account_directory.hpp"

#include <algorithm>

namespace sftdyn::accounts {
namespace {

/// The algorithm and parameters of a hash: "$argon2id$v=19$m=19456,t=2,p=1".
std::string_view cost_of(std::string_view hash) {
    const std::size_t digest = hash.rfind('$');
    const std::size_t salt = digest == 0 ? digest : hash.rfind('$', digest - 1);
    return hash.substr(0, salt);
}

}  // namespace

bool AccountDirectory::add(std::string_view key, const KeyEntry& entry) {
    return rows_.insert(KeyRow{hash_(key), entry}).second;
}

const KeyEntry* AccountDirectory::find(std::string_view key) const {
    if (rows_.empty()) return nullptr;
    const auto found = rows_.find(hash_(key));
    return found == rows_.end() ? nullptr : &found->entry;
}

ClientNumber AccountDirectory::add(Client client) {
    clients_.push_back(std::move(client));
    return static_cast<ClientNumber>(clients_.size() - 1);
}

bool AccountDirectory::add_user(const std::string& user, ClientNumber client,
                                std::string_view password, std::string password_hash) {
    const auto is_as_dear = [&](const std::string& other) {
        return cost_of(other) == cost_of(password_hash);
    };
    if (!password_hash.empty() && std::ranges::none_of(dummy_hashes_, is_as_dear))
        dummy_hashes_.push_back(password_hash);
    User entry{client, password_hash.empty() ? hash_(password) : Digest{},
               std::move(password_hash)};
    return users_.try_emplace(user, std::move(entry)).second;
}

Client AccountDirectory::client(const KeyEntry& entry) const {
    if (entry.client != no_client) return clients_[entry.client];
    return {"", {{entry.host, entry.ttl, entry.reverse, std::nullopt}}, false};
}

const AccountDirectory::User* AccountDirectory::user(std::string_view name) const {
    const auto found = users_.find(std::string(name));
    return found == users_.end() ? nullptr : &found->second;
}

const std::string& AccountDirectory::dummy_hash(std::string_view user) const {
    static const std::string none;
    // Of the process: a name's cost stays the same when the configuration is loaded again.
    static const base::KeyedHash choice;
    return dummy_hashes_.empty() ? none : dummy_hashes_[choice(user)[0] % dummy_hashes_.size()];
}

bool AccountDirectory::is_password(const User& user, std::string_view password) const {
    return user.password_hash.empty() && hash_(password) == user.password;
}

}  // namespace sftdyn::accounts
