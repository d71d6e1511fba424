// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/string_interner.hpp"

#include <limits>
#include <stdexcept>

#include "base/secret.hpp"

namespace sftdyn::base {

std::optional<StringInterner::Number> StringInterner::find(std::string_view text) const {
    const auto found = index_.find(text);
    return found == index_.end() ? std::nullopt : std::optional(*found);
}

std::string_view StringInterner::view(Number number) const {
    const std::size_t begin = offsets_[number];
    const std::size_t end = number + 1 < offsets_.size() ? offsets_[number + 1] : octets_.size();
    return std::string_view(octets_).substr(begin, end - begin);
}

std::pair<StringInterner::Number, bool> StringInterner::insert(std::string_view text) {
    const auto found = index_.find(text);
    if (found != index_.end()) return {*found, false};
    if (octets_.size() + text.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw std::length_error("the names or keys take more than 4 GiB");
    }
    const auto number = static_cast<Number>(offsets_.size());
    offsets_.push_back(static_cast<std::uint32_t>(octets_.size()));
    octets_ += text;
    index_.insert(number);
    return {number, true};
}

void StringInterner::reserve(std::size_t count, std::size_t octets) {
    octets_.reserve(octets);
    offsets_.reserve(count);
    index_.reserve(count);
}

void StringInterner::zeroize() noexcept {
    index_.clear();
    offsets_.clear();
    base::zeroize(octets_);
}

}  // namespace sftdyn::base
