// SPDX-License-Identifier: GPL-3.0-or-later
// The clients of a configuration: which key updates which host. Compact, for a million clients.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/string_interner.hpp"
#include "dns/name.hpp"

namespace sftdyn::config {

/// A line of a configuration, which may consist of several files.
struct SourceLine {
    std::uint32_t file = 0;  ///< 0: the configuration itself; else the number of an included file
    std::uint32_t line = 0;  ///< from 1

    constexpr SourceLine() = default;
    constexpr SourceLine(std::uint32_t line_number, std::uint32_t file_number = 0)
        : file(file_number), line(line_number) {}
    friend auto operator<=>(const SourceLine&, const SourceLine&) = default;
};

/// Limits for the hosts of one client. Absent: the value for all clients applies.
struct ClientLimits {
    std::optional<std::uint32_t> changes{};
    std::optional<std::chrono::milliseconds> changes_refill{};
    std::optional<std::chrono::milliseconds> stale_after{};
    [[nodiscard]] bool is_any() const { return changes || changes_refill || stale_after; }
    friend bool operator==(const ClientLimits&, const ClientLimits&) = default;
};

/// One client. The views are valid until the list changes.
struct ListedClient {
    std::string_view key;                ///< secret
    std::string_view host;               ///< in wire form, lower case
    std::optional<std::uint32_t> ttl{};  ///< seconds; absent: the zone's
    bool reverse = false;                ///< `ptr`: keep the PTR record too
    ClientLimits limits{};
};

/// What a new client has in common with an earlier one.
enum class ClashKind { key, host };

/// Owns the keys and hosts. It is filled while the configuration is read, and does not change after
/// that. Each key and each host is in it at most once.
class ClientList {
public:
    /// A client's settings besides key and host.
    struct Options {
        std::optional<std::uint32_t> ttl{};
        bool reverse = false;
        ClientLimits limits{};
    };
    /// Why a client was refused, and where the client is that has the same key or host.
    struct Clash {
        ClashKind kind;
        SourceLine source;
    };

    ClientList();
    ClientList(ClientList&&) noexcept;
    ClientList& operator=(ClientList&&) noexcept;
    /// Zeroizes the keys.
    ~ClientList();

    /// Adds a client. `source` is its line in the configuration, for messages. After a clash the
    /// configuration is invalid.
    std::optional<Clash> add(std::string_view key, const dns::Name& host, const Options& options,
                             SourceLine source);

    /// The line of the client with this host, or with this key; nothing: there is none.
    [[nodiscard]] std::optional<SourceLine> source_of_host(const dns::Name& host) const;
    [[nodiscard]] std::optional<SourceLine> source_of_key(std::string_view key) const;

    /// The line of the client at index `number`.
    [[nodiscard]] SourceLine source(std::size_t number) const { return rows_[number].source(); }

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
        std::uint32_t file : 31;
        std::uint32_t reverse : 1;
        [[nodiscard]] SourceLine source() const { return {line, file}; }
    };
    struct Tables {
        base::StringInterner keys, hosts;
    };
    std::unique_ptr<Tables> tables_;  ///< the row's index is that of its key and host
    std::vector<StoredClient> rows_;
    std::map<std::size_t, ClientLimits> limits_;  ///< by row; few rows have limits
    std::size_t host_octets_ = 0;
};

}  // namespace sftdyn::config
