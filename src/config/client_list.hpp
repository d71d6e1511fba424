// SPDX-License-Identifier: GPL-3.0-or-later
// The clients of a configuration: which key moves which host. Compact, for a million of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/string_interner.hpp"
#include "dns/name.hpp"

namespace sftdyn::config {

/// What holds for the hosts of one client alone; what is absent is as for all.
struct ClientLimits {
    std::optional<std::uint32_t> changes{};
    std::optional<std::chrono::milliseconds> changes_refill{};
    std::optional<std::chrono::milliseconds> stale_after{};
    friend bool operator==(const ClientLimits&, const ClientLimits&) = default;
};

/// One client; the views are valid as long as the list is not changed.
struct ListedClient {
    std::string_view key;                ///< secret
    std::string_view host;               ///< in wire form, lower case
    std::optional<std::uint32_t> ttl{};  ///< seconds; absent: the zone's
    bool reverse = false;                ///< `ptr`: keep the PTR record too
    ClientLimits limits{};
};

/// Which of a client's names another one has already.
enum class ClashKind { key, host };

/// Owns keys and hosts; filled while the configuration is read, and only read after that. A key or
/// a host that is there already is not added.
class ClientList {
public:
    /// What may hang on a client besides key and host.
    struct Options {
        std::optional<std::uint32_t> ttl{};
        bool reverse = false;
        ClientLimits limits{};
    };
    /// Why a client was not added: the line of the one that has the key, or the host, already.
    struct Clash {
        ClashKind kind;
        std::uint32_t line;
    };

    ClientList();
    ClientList(ClientList&&) noexcept;
    ClientList& operator=(ClientList&&) noexcept;
    /// Zeroizes the keys.
    ~ClientList();

    /// `line` is where the client stands, for messages.
    std::optional<Clash> add(std::string_view key, const dns::Name& host, const Options& options,
                             std::uint32_t line);

    /// The line of the client that has that host, or key.
    [[nodiscard]] std::optional<std::uint32_t> line_of_host(const dns::Name& host) const;
    [[nodiscard]] std::optional<std::uint32_t> line_of_key(std::string_view key) const;

    /// Where that client stands.
    [[nodiscard]] std::uint32_t line(std::size_t number) const { return rows_[number].line; }

    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] ListedClient operator[](std::size_t number) const;
    /// The octets of all host names in wire form.
    [[nodiscard]] std::size_t host_octets() const { return host_octets_; }
    void reserve(std::size_t clients, std::size_t key_octets, std::size_t host_octets);

private:
    static constexpr std::uint32_t no_ttl = 0xffffffff;  // a TTL has 31 bits (RFC 2181 §8)
    struct StoredClient {
        std::uint32_t line;
        std::uint32_t ttl;
        bool reverse;
    };
    struct Tables {
        base::StringInterner keys, hosts;
    };
    std::unique_ptr<Tables> tables_;  ///< key and host of a row have the row's number
    std::vector<StoredClient> rows_;
    std::map<std::size_t, ClientLimits> limits_;  ///< of the few rows that have some
    std::size_t host_octets_ = 0;
};

}  // namespace sftdyn::config
