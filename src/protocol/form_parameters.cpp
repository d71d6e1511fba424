// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/form_parameters.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/secret.hpp"

namespace sftdyn::protocol {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string form_decoded(std::string_view text) {
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_decoded(plain);
}

}  // namespace

std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low < 0) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

Parameters::~Parameters() {
    for (auto& [name, value, has_value] : list_) {
        base::zeroize(name);
        base::zeroize(value);
    }
}

/// Reserves all memory at once: growing the list would leave copies of short strings behind.
bool Parameters::has_room() {
    if (list_.empty()) list_.reserve(most);
    too_many_ = too_many_ || list_.size() == most;
    return !too_many_;
}

void Parameters::add(std::string_view query) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        // "&amp;", copied from a web page, means "&".
        if (pair.starts_with("amp;")) pair.remove_prefix(4);
        if (pair.empty()) continue;
        if (!has_room()) return;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        list_.push_back({form_decoded(pair.substr(0, equals)),
                         form_decoded(pair.substr(std::min(equals + 1, pair.size()))),
                         equals < pair.size()});
    }
}

void Parameters::add(std::string name, std::string value) {
    if (has_room()) list_.push_back({std::move(name), std::move(value), true});
}

const std::string* Parameters::find(std::string_view name) const {
    const auto found = std::ranges::find_if(list_, [&](const Parameter& parameter) {
        return base::ascii_iequals(parameter.name, name);
    });
    return found == list_.end() ? nullptr : &found->value;
}

std::vector<std::string_view> path_segments(std::string_view target) {
    std::string_view path = target.substr(0, target.find('?'));
    std::vector<std::string_view> out;
    while (!path.empty() && out.size() < most_segments) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (end > 0) out.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return out;
}

std::string_view query_of(std::string_view target) {
    const std::size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

}  // namespace sftdyn::protocol
