// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/subprocess.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/descriptor.hpp"

extern char** environ;

namespace sftdyn::platform {

std::optional<std::string> output_of(const std::vector<std::string>& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    const base::Descriptor from(ends[0]);
    base::Descriptor to(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    pid_t process = -1;
    const int error =
        posix_spawnp(&process, words.front(), &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    to.reset();
    std::string out;
    std::array<char, 4096> part{};
    for (ssize_t size = 1; error == 0 && size != 0;) {
        size = read(from.get(), part.data(), part.size());
        if (size < 0 && errno != EINTR) break;
        if (size > 0) out.append(part.data(), static_cast<std::size_t>(size));
    }
    int status = 1;
    if (error != 0 || waitpid(process, &status, 0) != process || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        return std::nullopt;
    return out;
}

}  // namespace sftdyn::platform
