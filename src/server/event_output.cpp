// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/system_error.hpp"

namespace sftdyn::server {
namespace {

// A longer line is logged in parts.
constexpr std::size_t longest_part = 4096;  // octets
// Reads at the end: a process that a command has left behind may never stop writing.
constexpr int last_reads = 64;

}  // namespace

EventOutput::EventOutput() {
    if (base::log::format_now() != base::log::Format::json) return;
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        base::log::warn("the event command's output is not logged as JSON: {}",
                        base::system_error_text(errno));
        return;
    }
    read_end_ = base::Descriptor(ends[0]);
    write_end_ = base::Descriptor(ends[1]);
    // Only the helper's end: a command expects that its output blocks.
    fcntl(read_end_.get(), F_SETFL, O_NONBLOCK);
}

void EventOutput::read() { read_some(); }

void EventOutput::finish() {
    for (int i = 0; i < last_reads && read_some(); ++i) {
    }
    if (!rest_.empty()) log_line(std::exchange(rest_, {}));
}

/// False: nothing has arrived.
bool EventOutput::read_some() {
    std::array<char, longest_part> octets{};
    const ssize_t size = ::read(read_end_.get(), octets.data(), octets.size());
    if (size <= 0) return false;
    rest_.append(octets.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    while (rest_.size() > begin) {
        const std::size_t end = rest_.find('\n', begin);
        const bool is_long = end == std::string::npos ? rest_.size() - begin >= longest_part
                                                      : end - begin > longest_part;
        if (end == std::string::npos && !is_long) break;
        const std::size_t length = is_long ? longest_part : end - begin;
        log_line(std::string_view(rest_).substr(begin, length));
        begin += length + (is_long ? 0 : 1);
    }
    rest_.erase(0, begin);
    return true;
}

void EventOutput::log_line(std::string_view line) {
    base::log::pass_on(fmt::format("the event command: {}", line));
}

}  // namespace sftdyn::server
