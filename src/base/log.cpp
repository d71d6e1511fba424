// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>
#include <utility>

#include "base/journal_sink.hpp"
#include "base/log_json.hpp"

namespace sftdyn::base::log {
namespace {

// Set before there is a second thread.
bool is_json = false;
bool is_journals = false;    // the lines go to the journal
bool is_developers = false;  // as in `adjust`

spdlog::level::level_enum level_of(int verbosity) {
    static constexpr spdlog::level::level_enum levels[] = {
        spdlog::level::critical, spdlog::level::err, spdlog::level::warn, spdlog::level::info,
        spdlog::level::debug};
    return levels[std::clamp(verbosity, -2, 2) + 2];
}

constexpr char digits[] = "0123456789abcdef";

void escape(std::string& out, std::string_view octets) {
    for (const char c : octets) {
        const auto octet = static_cast<unsigned char>(c);
        out += "\\x";
        out += digits[octet >> 4U];
        out += digits[octet & 15U];
    }
}

struct Character {
    char32_t code = 0;
    std::size_t size = 0;  ///< octets; 0: not valid UTF-8
};

/// The first character of UTF-8 text (RFC 3629). Overlong forms, surrogates and code points above
/// U+10FFFF are invalid.
Character first_of(std::string_view text) {
    const auto at = [&text](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned lead = at(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4) return {};
    char32_t code = lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xc0U) != 0x80) return {};
        code = code << 6U | (at(i) & 0x3fU);
    }
    const bool too_long = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (too_long || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return {};
    return {code, size};
}

bool is_shown(char32_t code) {
    if (code < 0x20) return code == U'\t';
    if (code >= 0x7f && code <= 0x9f) return false;
    // Bidirectional marks and overrides (UAX #9), line and paragraph separators, the byte order
    // mark.
    return code != 0x61c && code != 0x200e && code != 0x200f &&
           !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069) &&
           code != 0xfeff;
}

/// Applies `terminal_safe` to each message, and passes it on.
class SafeSink : public spdlog::sinks::sink {
public:
    explicit SafeSink(spdlog::sink_ptr next) : next_(std::move(next)) {}

    void log(const spdlog::details::log_msg& message) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
            return next_->log(message);
        const std::string safe = terminal_safe(text);
        spdlog::details::log_msg copy = message;
        copy.payload = safe;
        next_->log(copy);
    }
    void flush() override { next_->flush(); }
    void set_pattern(const std::string& pattern) override { next_->set_pattern(pattern); }
    void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
        next_->set_formatter(std::move(formatter));
    }

private:
    spdlog::sink_ptr next_;
};

void set_form(bool developer) {
    if (is_json) return spdlog::set_formatter(json_formatter(developer));
    spdlog::set_pattern(developer ? "%Y-%m-%d %H:%M:%S.%f [%t] %^%l%$ %v"
                                  : "%Y-%m-%d %H:%M:%S %^%l%$: %v");
}

}  // namespace

void start(int verbosity, bool developer) {
    spdlog::sink_ptr sink = journal_sink();
    is_journals = sink != nullptr;
    if (!sink) sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto logger =
        std::make_shared<spdlog::logger>("sftdyn", std::make_shared<SafeSink>(std::move(sink)));
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
    adjust(verbosity, developer);
}

void adjust(int verbosity, bool developer) {
    spdlog::set_level(developer ? spdlog::level::debug : level_of(verbosity));
    is_developers = developer;
    set_form(developer);
}

void use_format(Format format) {
    is_json = format == Format::json;
    set_form(is_developers);
}

Format format_now() { return is_json && !is_journals ? Format::json : Format::text; }

void pass_on(std::string_view line) {
    const auto logger = spdlog::default_logger();
    const spdlog::details::log_msg message(logger->name(), spdlog::level::info,
                                           {line.data(), line.size()});
    for (const auto& sink : logger->sinks()) sink->log(message);
}

FieldScope::FieldScope(Fields fields) : fields_(std::move(fields)), outer_(fields_now) {
    fields_now = &fields_;
}

FieldScope::~FieldScope() { fields_now = outer_; }

void event(spdlog::level::level_enum level, const std::string& text, const Fields& fields) {
    const FieldScope scope(fields);
    spdlog::log(level, "{}", text);
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] >= 0x20 && text[i] < 0x7f && text[i] != '\\') {
            out += text[i];
        } else {
            escape(out, text.substr(i, 1));
        }
    }
    return out;
}

std::string terminal_safe(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_of(text);
        const std::string_view octets = text.substr(0, std::max<std::size_t>(character.size, 1));
        text.remove_prefix(octets.size());
        if (character.code == U'\n' && character.size == 1) {
            out += '\n';
            if (!text.empty() && text.front() != ' ' && text.front() != '\n') out += "    ";
        } else if (character.size > 0 && is_shown(character.code)) {
            out += octets;
        } else {
            escape(out, octets);
        }
    }
    return out;
}

}  // namespace sftdyn::base::log
