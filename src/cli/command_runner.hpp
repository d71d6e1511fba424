// Runs the administrator's command when a host has changed or gone quiet, in a process of its own: the program itself may
// start none once it is confined.
#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/repeats.hpp"
#include "base/result.hpp"

namespace sftdyn::cli {

class CommandRunner {
public:
    /// To be made before there is a second thread, and before the process is confined. `user` is whom the helper becomes.
    CommandRunner(const std::vector<std::string>& command, const std::optional<std::string>& user);
    /// Ends the helper, which lets commands under way finish for some seconds.
    ~CommandRunner();
    CommandRunner(const CommandRunner&) = delete;
    CommandRunner& operator=(const CommandRunner&) = delete;

    /// Runs the command with these variables added to its environment. Never waits: when too many are to be run already, it
    /// is said in the log, and this one is not. On any thread.
    void run(const std::map<std::string, std::string>& variables);

private:
    int socket_ = -1;
    pid_t helper_ = -1;
    std::mutex mutex_;
    base::Repeats problems_;
};

}  // namespace sftdyn::cli
