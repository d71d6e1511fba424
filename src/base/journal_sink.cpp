// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/journal_sink.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

#include "base/unix_datagram.hpp"

namespace sftdyn::base::log {

thread_local const Fields* fields_now = nullptr;

namespace {

std::atomic<int> socket_now = -1;

/// The priority of syslog(3).
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
    explicit JournalSink(Descriptor socket) : socket_(std::move(socket)) {}

    void log(const spdlog::details::log_msg& message) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        std::string entry;
        append_journal_field(entry, "MESSAGE", text);
        append_journal_field(entry, "PRIORITY", std::to_string(priority_of(message.level)));
        append_journal_field(entry, "SYSLOG_IDENTIFIER", "sftdyn");
        if (fields_now != nullptr) {
            for (const auto& [name, value] : *fields_now) append_journal_field(entry, name, value);
        }
        if (lost_ > 0) say_lost();
        // What the socket does not accept goes to standard error, which the journal reads too:
        // "<N>" at the start of a line is the priority (sd-daemon(3)).
        if (send_datagram(socket_, entry)) return;
        // The journal stands still, and standard error leads there too: nobody waits for it.
        if (errno == EAGAIN) {
            ++lost_;
            return;
        }
        std::string lines = fmt::format("<{}>", priority_of(message.level));
        for (const char c : text) {
            lines += c;
            if (c == '\n') lines += fmt::format("<{}>", priority_of(message.level));
        }
        fmt::print(stderr, "{}\n", lines);
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}  // the journal records time and level itself
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

private:
    /// Tells the journal, once it reads again, what it did not take.
    void say_lost() {
        const auto lost = lost_.exchange(0);
        std::string entry;
        append_journal_field(
            entry, "MESSAGE",
            fmt::format("{} lines before this one are lost: the journal did not read them", lost));
        append_journal_field(entry, "PRIORITY", "4");
        append_journal_field(entry, "SYSLOG_IDENTIFIER", "sftdyn");
        if (!send_datagram(socket_, entry)) lost_ += lost;
    }

    Descriptor socket_;
    std::atomic<std::size_t> lost_ = 0;
};

}  // namespace

/// $JOURNAL_STREAM is the DEVICE:INODE of the stream.
bool is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
           fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::shared_ptr<spdlog::sinks::sink> journal_sink(std::string_view path) {
    if (!is_journal()) return nullptr;
    Descriptor socket = connect_unix_datagram(path);
    if (!socket) return nullptr;
    socket_now = socket.get();
    return journal_sink_to(std::move(socket));
}

std::shared_ptr<spdlog::sinks::sink> journal_sink_to(Descriptor socket) {
    return std::make_shared<JournalSink>(std::move(socket));
}

int journal_socket() { return socket_now; }

/// A value with several lines is preceded by its size: 64 bits, little-endian.
void append_journal_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    if (value.find('\n') == std::string_view::npos) {
        out += '=';
    } else {
        out += '\n';
        for (unsigned shift = 0; shift < 64; shift += 8)
            out += static_cast<char>(std::uint64_t(value.size()) >> shift & 0xffU);
    }
    out += value;
    out += '\n';
}

}  // namespace sftdyn::base::log
