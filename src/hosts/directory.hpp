// Which key may update which host: an immutable table, made whole at each load of the configuration.
//
// Keys themselves are not kept: the table holds a keyed hash of each, so that neither its memory nor the time of a
// look-up tells anything of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "update/target.hpp"

namespace sftdyn::hosts {

struct Entry {
    update::HostId host{};
    std::uint32_t ttl = 30;  ///< seconds
    bool reverse = false;    ///< keep the address's PTR record too
};

class Directory {
public:
    Directory();

    void reserve(std::size_t keys);

    /// False when the key is there already.
    [[nodiscard]] bool add(std::string_view key, const Entry& entry);

    /// The entry for `key`, or null.
    [[nodiscard]] const Entry* find(std::string_view key) const;

    [[nodiscard]] std::size_t size() const { return count_; }

private:
    using Digest = std::array<std::uint64_t, 2>;
    struct Row {
        Digest digest{};  ///< all zero: free
        Entry entry;
    };
    [[nodiscard]] Digest digest(std::string_view key) const;
    [[nodiscard]] std::size_t position(const Digest& digest) const;
    void grow(std::size_t rows);

    std::array<std::uint64_t, 2> seed_;
    std::vector<Row> rows_;  ///< open addressing; a power of two of them, at most 3/4 taken
    std::size_t count_ = 0;
};

}  // namespace sftdyn::hosts
