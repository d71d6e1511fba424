// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log_json.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "base/ascii.hpp"
#include "base/journal_sink.hpp"
#include "base/log.hpp"

namespace sftdyn::base::log {
namespace {

/// "2026-11-25T19:19:51.123Z"
std::string rfc3339(spdlog::log_clock::time_point time, bool with_microseconds) {
    using namespace std::chrono;
    const auto second = floor<seconds>(time);
    const std::time_t whole = spdlog::log_clock::to_time_t(second);
    std::tm utc{};
    gmtime_r(&whole, &utc);
    const auto fraction = duration_cast<microseconds>(time - second).count();
    const std::string decimals =
        with_microseconds ? fmt::format("{:06}", fraction) : fmt::format("{:03}", fraction / 1000);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, decimals);
}

/// "SFTDYN_DURATION_USEC" -> "duration_usec"
std::string json_name(std::string_view field) {
    constexpr std::string_view prefix = "SFTDYN_";
    if (field.starts_with(prefix)) field.remove_prefix(prefix.size());
    return ascii_lower(field);
}

/// Durations are numbers, everything else is text.
boost::json::value json_value(std::string_view name, const std::string& text) {
    if (name.ends_with("_usec")) {
        std::int64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        if (read.ec == std::errc() && read.ptr == end) return number;
    }
    return boost::json::value(terminal_safe(text));
}

void add_field(boost::json::object& line, const std::string& name, boost::json::value value) {
    boost::json::value* const earlier = line.if_contains(name);
    if (earlier == nullptr) {
        line.emplace(name, std::move(value));
    } else if (earlier->is_array()) {
        earlier->as_array().push_back(std::move(value));
    } else {
        boost::json::value first = std::move(*earlier);
        *earlier = boost::json::array{std::move(first), std::move(value)};
    }
}

/// Without state but its setting: spdlog clones it for each sink.
class JsonFormatter : public spdlog::formatter {
public:
    explicit JsonFormatter(bool developer) : developer_(developer) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& target) override {
        const auto level = spdlog::level::to_string_view(message.level);
        boost::json::object line;
        line.emplace("time", rfc3339(message.time, developer_));
        line.emplace("level", std::string_view(level.data(), level.size()));
        if (developer_) line.emplace("thread", message.thread_id);
        line.emplace("message", terminal_safe({message.payload.data(), message.payload.size()}));
        if (fields_now != nullptr) {
            for (const auto& [field, text] : *fields_now) {
                const std::string name = json_name(field);
                add_field(line, name, json_value(name, text));
            }
        }
        const std::string octets = boost::json::serialize(line) + '\n';
        target.append(octets.data(), octets.data() + octets.size());
    }

    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>(developer_);
    }

private:
    bool developer_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> json_formatter(bool developer) {
    return std::make_unique<JsonFormatter>(developer);
}

}  // namespace sftdyn::base::log
