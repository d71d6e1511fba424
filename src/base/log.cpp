#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>

#include "base/journal_sink.hpp"

namespace sftdyn::base::log {
namespace {

spdlog::level::level_enum level_of(int verbosity) {
    static constexpr spdlog::level::level_enum levels[] = {spdlog::level::critical, spdlog::level::err, spdlog::level::warn, spdlog::level::info,
                                                           spdlog::level::debug};
    return levels[std::clamp(verbosity, -2, 2) + 2];
}

}  // namespace

void start(int verbosity, bool developer) {
    spdlog::sink_ptr sink = journal_sink();
    if (!sink) sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("sftdyn", std::move(sink));
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
    adjust(verbosity, developer);
}

void adjust(int verbosity, bool developer) {
    spdlog::set_level(developer ? spdlog::level::debug : level_of(verbosity));
    spdlog::set_pattern(developer ? "%Y-%m-%d %H:%M:%S.%f [%t] %^%l%$ %v" : "%Y-%m-%d %H:%M:%S %^%l%$: %v");
}

void event(spdlog::level::level_enum level, const std::string& text, const Fields& fields) {
    fields_now = &fields;
    spdlog::log(level, "{}", text);
    fields_now = nullptr;
}

std::string printable(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\') {
            out += c;
        } else {
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

}  // namespace sftdyn::base::log
