// SPDX-License-Identifier: GPL-3.0-or-later
// What a test does in a process of its own: what it gives up or changes there is gone with it.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

namespace sftdyn {

/// How a child ended, as waitpid(2) has it, and the text that it made.
struct ChildResult {
    int status = 0;
    std::string text{};
};

/// Forks, and runs `body` there, which returns a text. The test has no other thread meanwhile.
template <class Body>
ChildResult run_in_child(const Body& body) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category());
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) throw std::system_error(errno, std::generic_category());
    if (child == 0) {
        // Descriptors from 3 on are the body's.
        const int out = fcntl(ends[1], F_DUPFD_CLOEXEC, 100);
        close(ends[0]);
        close(ends[1]);
        std::string text;
        try {
            text = body();
        } catch (const std::exception& error) {
            text = std::string("threw ") + error.what();
        }
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t size = write(out, text.data() + done, text.size() - done);
            if (size <= 0) _exit(99);
            done += static_cast<std::size_t>(size);
        }
        _exit(0);
    }
    close(ends[1]);
    ChildResult result;
    char part[4096];
    for (ssize_t size = 1; size > 0;) {
        size = read(ends[0], part, sizeof part);
        if (size > 0) result.text.append(part, static_cast<std::size_t>(size));
    }
    close(ends[0]);
    if (waitpid(child, &result.status, 0) != child)
        throw std::system_error(errno, std::generic_category());
    return result;
}

/// The text of a child that must come to its end.
template <class Body>
std::string in_child(const Body& body) {
    const ChildResult result = run_in_child(body);
    EXPECT_TRUE(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0)
        << "the child ended with status " << result.status << " and said " << result.text;
    return result.text;
}

/// Something that may be forbidden: below 0, with errno, where it failed.
struct Attempt {
    std::string name;
    std::function<long()> call;
};

/// "EPERM"; "works" where nothing failed.
inline std::string outcome_of(const std::function<long()>& call) {
    errno = 0;
    if (call() >= 0) return "works";
    const char* name = strerrorname_np(errno);
    return name != nullptr ? name : std::to_string(errno);
}

/// A line for each attempt; for a child.
inline std::string try_all(const std::vector<Attempt>& attempts) {
    std::string out;
    for (const auto& attempt : attempts)
        out += attempt.name + '\t' + outcome_of(attempt.call) + '\n';
    return out;
}

/// What came of each attempt, of the lines of `try_all`.
inline std::map<std::string, std::string> outcomes(const std::string& text) {
    std::map<std::string, std::string> out;
    std::istringstream lines(text);
    for (std::string name, outcome; std::getline(lines, name, '\t');) {
        std::getline(lines, outcome);
        out[name] = outcome;
    }
    return out;
}

/// The value of a line of /proc/self/status.
inline std::string own_status(const std::string& name) {
    std::string out;
    FILE* file = std::fopen("/proc/self/status", "re");
    if (file == nullptr) return "no /proc";
    char line[512];
    while (std::fgets(line, sizeof line, file) != nullptr) {
        if (std::string(line).starts_with(name + ":\t"))
            out = std::string(line).substr(name.size() + 2);
    }
    std::fclose(file);
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    return out;
}

}  // namespace sftdyn
