#include "accounts/account_directory.hpp"

namespace sftdyn::accounts {

bool AccountDirectory::add(std::string_view key, const Entry& entry) {
    return rows_.insert(Row{hash_(key), entry}).second;
}

const Entry* AccountDirectory::find(std::string_view key) const {
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
    if (dummy_hash_.empty()) dummy_hash_ = password_hash;
    User entry{client, password_hash.empty() ? hash_(password) : Digest{},
               std::move(password_hash)};
    return users_.try_emplace(user, std::move(entry)).second;
}

Client AccountDirectory::client(const Entry& entry) const {
    if (entry.client != no_client) return clients_[entry.client];
    return {"", {{entry.host, entry.ttl, entry.reverse, std::nullopt}}, false};
}

const AccountDirectory::User* AccountDirectory::user(std::string_view name) const {
    const auto found = users_.find(std::string(name));
    return found == users_.end() ? nullptr : &found->second;
}

bool AccountDirectory::is_password(const User& user, std::string_view password) const {
    return user.password_hash.empty() && hash_(password) == user.password;
}

}  // namespace sftdyn::accounts
