// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/body_parameters.hpp"

#include <optional>
#include <string>

#include "base/number.hpp"
#include "base/secret.hpp"

namespace sftdyn::protocol {
namespace {

constexpr std::string_view white = " \t\r\n";

std::string_view without_white(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(white);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(white) - begin + 1);
}

void append_utf8(std::uint32_t code, std::string& out) {
    const auto add = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
    if (code < 0x80) return add(code);
    if (code < 0x800) {
        add(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        add(0xe0 | code >> 12);
        add(0x80 | (code >> 6 & 0x3f));
    } else {
        add(0xf0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3f));
        add(0x80 | (code >> 6 & 0x3f));
    }
    add(0x80 | (code & 0x3f));
}

/// Parses a JSON object of strings, numbers and literals, without nesting. Reads each octet once.
class FlatJson {
public:
    explicit FlatJson(std::string_view text) : text_(text) {}

    [[nodiscard]] bool read(Parameters& parameters) {
        if (!take('{')) return false;
        if (take('}')) return is_over();
        do {
            auto name = string();
            if (!name || !take(':')) return false;
            auto member = value();
            if (!member) return false;
            parameters.add(std::move(*name), std::move(*member));
        } while (take(','));
        return take('}') && is_over();
    }

private:
    void skip() {
        while (!text_.empty() && white.find(text_.front()) != std::string_view::npos)
            text_.remove_prefix(1);
    }
    bool take(char c) {
        skip();
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool is_over() {
        skip();
        return text_.empty();
    }

    std::optional<std::string> string() {
        if (!take('"')) return std::nullopt;
        // Reserves enough memory that the string never moves, so that no copy stays behind.
        std::string out;
        out.reserve(std::min(text_.find_first_of("\"\n"), text_.size()));
        while (!text_.empty()) {
            const char c = text_.front();
            text_.remove_prefix(1);
            if (c == '"') return out;
            if (static_cast<unsigned char>(c) < 0x20) break;
            if (c != '\\') {
                out += c;
            } else if (!escape(out)) {
                break;
            }
        }
        base::zeroize(out);
        return std::nullopt;
    }

    /// Parses an escape, after the backslash.
    bool escape(std::string& out) {
        if (text_.empty()) return false;
        const char c = text_.front();
        text_.remove_prefix(1);
        constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
        if (const std::size_t at = letters.find(c); at != std::string_view::npos) {
            out += meant[at];
            return true;
        }
        auto code = c == 'u' ? unit() : std::nullopt;
        if (!code) return false;
        if (*code >= 0xd800 && *code < 0xdc00 && text_.starts_with("\\u")) {
            text_.remove_prefix(2);
            const auto low = unit();
            if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
            code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
        }
        if (*code >= 0xd800 && *code < 0xe000) return false;
        append_utf8(*code, out);
        return true;
    }
    std::optional<std::uint32_t> unit() {
        const auto number = base::parse_number<std::uint32_t>(text_.substr(0, 4), 16);
        if (text_.size() < 4 || !number) return std::nullopt;
        text_.remove_prefix(4);
        return number;
    }

    /// Parses a string, number, true or false. null is an empty string.
    std::optional<std::string> value() {
        skip();
        if (text_.starts_with('"')) return string();
        const std::size_t size = std::min(text_.find_first_of(",} \t\r\n"), text_.size());
        std::string word(text_.substr(0, size));
        if (word.empty() || word.find_first_not_of("0123456789+-.eEtrufalsn") != std::string::npos)
            return std::nullopt;
        text_.remove_prefix(size);
        return word == "null" ? std::string() : word;
    }

    std::string_view text_;
};

/// The `name` of a part's Content-Disposition.
std::optional<std::string> name_of_part(std::string_view header) {
    constexpr std::string_view mark = " name=\"";
    const std::size_t at = header.find(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto rest = header.substr(at + mark.size());
    const std::size_t end = rest.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(rest.substr(0, end));
}

/// Parses a multipart form. The boundary is taken from the first line, not from the header.
bool read_multipart(std::string_view body, Parameters& parameters) {
    const std::size_t line = body.find("\r\n");
    if (line == std::string_view::npos || line < 3 || line > 72) return false;
    const std::string delimiter = "\r\n" + std::string(body.substr(0, line));
    body.remove_prefix(line);
    while (!parameters.too_many() && !body.starts_with("--")) {
        const std::size_t header = body.find("\r\n\r\n");
        if (!body.starts_with("\r\n") || header == std::string_view::npos) return false;
        const std::size_t content = header + 4;
        // In an empty part, the delimiter begins with the last line end of the part's header.
        const std::size_t end = body.find(delimiter, header + 2);
        auto name = name_of_part(body.substr(0, header));
        if (end == std::string_view::npos || !name) return false;
        parameters.add(std::move(*name),
                       std::string(end > content ? body.substr(content, end - content) : ""));
        body.remove_prefix(end + delimiter.size());
    }
    return true;
}

}  // namespace

bool add_body(std::string_view body, Parameters& parameters) {
    const auto text = without_white(body);
    if (text.empty()) return true;
    if (text.starts_with('{')) return FlatJson(text).read(parameters);
    if (text.starts_with("--")) return read_multipart(text, parameters);
    if (text.find('=') == std::string_view::npos) return false;
    parameters.add(text);
    return true;
}

}  // namespace sftdyn::protocol
