// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/client_list.hpp"

namespace sftdyn::config {

ClientList::ClientList() : tables_(std::make_unique<Tables>()) {}
ClientList::ClientList(ClientList&&) noexcept = default;
ClientList& ClientList::operator=(ClientList&& other) noexcept {
    std::swap(tables_, other.tables_);
    std::swap(rows_, other.rows_);
    std::swap(limits_, other.limits_);
    std::swap(host_octets_, other.host_octets_);
    return *this;
}
ClientList::~ClientList() {
    if (tables_) tables_->keys.zeroize();
}

std::optional<ClientList::Clash> ClientList::add(std::string_view key, const dns::Name& host,
                                                 const Options& options, SourceLine source) {
    const auto [host_number, host_is_new] = tables_->hosts.insert(host.bytes());
    if (!host_is_new) return Clash{ClashKind::host, rows_[host_number].source()};
    const auto [key_number, key_is_new] = tables_->keys.insert(key);
    if (options.limits.is_any()) limits_.emplace(rows_.size(), options.limits);
    rows_.push_back({source.line, options.ttl.value_or(no_ttl), source.file & 0x7fffffffU,
                     options.reverse ? 1U : 0U});
    host_octets_ += host.size();
    if (key_is_new) return std::nullopt;
    // The configuration is invalid now. A made-up key keeps the indexes of keys and rows equal for
    // the diagnostics that follow.
    tables_->keys.insert(std::string(key) + '\n' + std::to_string(rows_.size()));
    return Clash{ClashKind::key, rows_[key_number].source()};
}

std::optional<SourceLine> ClientList::source_of_host(const dns::Name& host) const {
    const auto number = tables_->hosts.find(host.bytes());
    return number ? std::optional(rows_[*number].source()) : std::nullopt;
}

std::optional<SourceLine> ClientList::source_of_key(std::string_view key) const {
    const auto number = tables_->keys.find(key);
    return number ? std::optional(rows_[*number].source()) : std::nullopt;
}

ListedClient ClientList::operator[](std::size_t number) const {
    const StoredClient& row = rows_[number];
    const auto index = static_cast<base::StringInterner::Number>(number);
    const auto limits = limits_.find(number);
    return {tables_->keys.view(index), tables_->hosts.view(index),
            row.ttl == no_ttl ? std::nullopt : std::optional(row.ttl), row.reverse != 0,
            limits == limits_.end() ? ClientLimits() : limits->second};
}

void ClientList::reserve(std::size_t clients, std::size_t key_octets, std::size_t host_octets) {
    tables_->keys.reserve(clients, key_octets);
    tables_->hosts.reserve(clients, host_octets);
    rows_.reserve(clients);
}

}  // namespace sftdyn::config
