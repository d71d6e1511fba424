// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/journal_sink.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

#include "base/shared_library.hpp"

namespace sftdyn::base::log {

thread_local const Fields* fields_now = nullptr;

namespace {

/// As syslog(3) counts.
int priority_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::critical:
            return 2;
        case spdlog::level::err:
            return 3;
        case spdlog::level::warn:
            return 4;
        case spdlog::level::info:
            return 6;
        default:
            return 7;
    }
}

class JournalSink : public spdlog::sinks::sink {
public:
    explicit JournalSink(SendToJournal send) : send_(send) {}

    void log(const spdlog::details::log_msg& message) override {
        std::vector<std::string> texts{
            fmt::format("MESSAGE={}",
                        std::string_view(message.payload.data(), message.payload.size())),
            fmt::format("PRIORITY={}", priority_of(message.level)), "SYSLOG_IDENTIFIER=sftdyn"};
        if (fields_now != nullptr) {
            for (const auto& [name, value] : *fields_now)
                texts.push_back(fmt::format("{}={}", name, value));
        }
        std::vector<iovec> parts;
        for (std::string& text : texts) parts.push_back({text.data(), text.size()});
        if (send_(parts.data(), static_cast<int>(parts.size())) >= 0) return;
        // The journal does not take it: standard error is its, too.
        fmt::print(stderr, "{}\n", texts.front().substr(std::string_view("MESSAGE=").size()));
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}  // the journal has time and level already
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

private:
    SendToJournal send_;
};

}  // namespace

/// The variable is DEVICE:INODE.
bool is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
           fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::shared_ptr<spdlog::sinks::sink> journal_sink() {
    if (!is_journal()) return nullptr;
    SharedLibrary systemd("libsystemd.so.0");
    const SendToJournal send =
        systemd.function<std::remove_pointer_t<SendToJournal>>("sd_journal_sendv");
    return send != nullptr ? journal_sink_to(send) : nullptr;
}

std::shared_ptr<spdlog::sinks::sink> journal_sink_to(SendToJournal send) {
    return std::make_shared<JournalSink>(send);
}

}  // namespace sftdyn::base::log
