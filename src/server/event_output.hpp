// SPDX-License-Identifier: GPL-3.0-or-later
// Makes lines of the log of what event commands write, where each line must be a JSON object.
#pragma once

#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace sftdyn::server {

/// A pipe for the output of all commands. Used in the helper process, on its one thread. Where the
/// log is text, there is no pipe: commands write to the program's own streams.
class EventOutput {
public:
    EventOutput();

    /// For the commands to write to, and for the helper to poll; -1: there is no pipe.
    [[nodiscard]] int write_end() const { return write_end_.get(); }
    [[nodiscard]] int read_end() const { return read_end_.get(); }

    /// Logs the lines that have arrived. Does not block.
    void read();
    /// Logs what remains, also of a line that has not ended.
    void finish();

private:
    bool read_some();
    static void log_line(std::string_view line);

    base::Descriptor read_end_{}, write_end_{};
    std::string rest_{};  ///< of a line that has not ended
};

}  // namespace sftdyn::server
