// SPDX-License-Identifier: GPL-3.0-or-later
// What is logged while it lives, in place of standard error.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace sftdyn {

/// At the verbosity of `-v`, or as `use` says.
class CapturedLog {
public:
    CapturedLog() : before_(spdlog::default_logger()) {
        auto logger = std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
        logger->set_pattern("%l: %v");
        spdlog::set_default_logger(std::move(logger));
        use(spdlog::level::info);
    }
    ~CapturedLog() { spdlog::set_default_logger(before_); }
    CapturedLog(const CapturedLog&) = delete;
    CapturedLog& operator=(const CapturedLog&) = delete;

    static void use(spdlog::level::level_enum level) { spdlog::set_level(level); }

    /// The lines of a level that were logged since the last call; of all levels when it is empty.
    std::vector<std::string> lines(const std::string& level = "info") {
        std::vector<std::string> found;
        std::istringstream text(text_.str());
        for (std::string line; std::getline(text, line);) {
            if (level.empty()) {
                found.push_back(line);
            } else if (line.starts_with(level + ": ")) {
                found.push_back(line.substr(level.size() + 2));
            }
        }
        text_.str("");
        return found;
    }

private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::logger> before_;
};

}  // namespace sftdyn
