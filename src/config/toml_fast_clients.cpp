// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_fast_clients.hpp"

#include <algorithm>
#include <optional>

namespace sftdyn::config {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

/// Reads a line from left to right.
class Cursor {
public:
    explicit Cursor(std::string_view line) : line_(line) {}

    void skip_space() {
        while (at_ < line_.size() && is_space(line_[at_])) ++at_;
    }
    bool skip(char c) {
        if (at_ >= line_.size() || line_[at_] != c) return false;
        ++at_;
        return true;
    }
    /// A basic string (TOML 1.0) without escapes.
    std::optional<std::string_view> plain_string() {
        if (!skip('"')) return std::nullopt;
        const std::size_t start = at_;
        while (at_ < line_.size() && line_[at_] >= 0x20 && line_[at_] < 0x7f && line_[at_] != '"' &&
               line_[at_] != '\\')
            ++at_;
        const std::string_view text = line_.substr(start, at_ - start);
        return skip('"') && !text.empty() ? std::optional(text) : std::nullopt;
    }
    /// Whether nothing follows but space.
    bool at_end() {
        skip_space();
        if (at_ < line_.size() && line_[at_] == '\r') ++at_;
        // A line with a comment is left to the library, which validates the comment.
        return at_ == line_.size();
    }
    [[nodiscard]] std::uint32_t column() const { return static_cast<std::uint32_t>(at_ + 1); }

private:
    std::string_view line_;
    std::size_t at_ = 0;
};

std::optional<ClientLine> plain_line(std::string_view text, std::uint32_t number) {
    Cursor cursor(text);
    ClientLine out{{}, {}, number, 0, 0};
    cursor.skip_space();
    out.key_column = cursor.column();
    const auto key = cursor.plain_string();
    if (!key) return std::nullopt;
    cursor.skip_space();
    if (!cursor.skip('=')) return std::nullopt;
    cursor.skip_space();
    out.host_column = cursor.column();
    const auto host = cursor.plain_string();
    if (!host || !cursor.at_end()) return std::nullopt;
    out.key = *key;
    out.host = *host;
    return out;
}

/// Whether the line is the header [clients]. The library checks the rest of the line.
bool heads_clients(std::string_view line) {
    Cursor cursor(line);
    cursor.skip_space();
    const bool open = cursor.skip('[');
    cursor.skip_space();
    for (const char c : std::string_view("clients")) {
        if (!cursor.skip(c)) return false;
    }
    cursor.skip_space();
    return open && cursor.skip(']');
}

bool heads_a_table(std::string_view line) {
    Cursor cursor(line);
    cursor.skip_space();
    return cursor.skip('[');
}

}  // namespace

std::string take_client_lines(std::string_view text,
                              const std::function<void(const ClientLine&)>& use) {
    if (text.find("\"\"\"") != std::string_view::npos || text.find("'''") != std::string_view::npos)
        return std::string(text);
    std::string rest;
    bool in_clients = false;
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        ++number;
        if (heads_a_table(line)) in_clients = heads_clients(line);
        const auto plain = in_clients ? plain_line(line, number) : std::nullopt;
        if (plain) {
            use(*plain);
        } else {
            rest += line;
        }
        rest += '\n';
    }
    return rest;
}

}  // namespace sftdyn::config
