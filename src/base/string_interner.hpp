// SPDX-License-Identifier: GPL-3.0-or-later
// Stores each string once, and numbers the strings in the order in which they came. Made for
// millions: a string costs its octets and about ten more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

namespace sftdyn::base {

/// Owns its strings. A number is valid until `zeroize`, a view until the next `insert`. Not
/// thread-safe: the owner locks it.
class StringInterner {
public:
    using Number = std::uint32_t;

    StringInterner() = default;
    StringInterner(const StringInterner&) = delete;
    StringInterner& operator=(const StringInterner&) = delete;

    /// The string's number, and whether it is new.
    std::pair<Number, bool> insert(std::string_view text);
    [[nodiscard]] std::optional<Number> find(std::string_view text) const;
    [[nodiscard]] std::string_view view(Number number) const;
    [[nodiscard]] std::size_t size() const { return offsets_.size(); }
    /// Prepares for `count` strings of about `octets` octets in all.
    void reserve(std::size_t count, std::size_t octets);
    /// Overwrites all strings with zeros, and removes them.
    void zeroize() noexcept;

private:
    struct TextHash {
        using is_transparent = void;
        const StringInterner* table;
        std::size_t operator()(Number number) const { return (*this)(table->view(number)); }
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    struct TextEqual {
        using is_transparent = void;
        const StringInterner* table;
        bool operator()(Number a, Number b) const { return a == b; }
        bool operator()(Number a, std::string_view b) const { return table->view(a) == b; }
        bool operator()(std::string_view a, Number b) const { return a == table->view(b); }
    };

    std::string octets_;                  ///< all strings, concatenated
    std::vector<std::uint32_t> offsets_;  ///< where each begins
    boost::unordered_flat_set<Number, TextHash, TextEqual> index_{0, TextHash{this},
                                                                  TextEqual{this}};
};

}  // namespace sftdyn::base
