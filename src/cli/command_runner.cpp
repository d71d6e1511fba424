#include "cli/command_runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "cli/confine.hpp"

namespace sftdyn::cli {
namespace {

namespace log = base::log;

constexpr std::size_t most_at_once = 4;
constexpr auto time_limit = std::chrono::seconds(30);
constexpr auto last_time = std::chrono::seconds(5);  // for commands under way at the end
constexpr int glance = 100;                          // milliseconds between looks at commands under way
constexpr std::size_t longest_message = 16 * 1024;

/// The helper: reads messages of variables, and runs a command for each.
class Helper {
public:
    Helper(int socket, const std::vector<std::string>& command) : socket_(socket), command_(command) {}

    [[noreturn]] void work() {
        while (!over_) {
            reap();
            pollfd wait{socket_, POLLIN, 0};
            const bool full = running_.size() >= most_at_once;
            const int ready = poll(&wait, full ? 0 : 1, running_.empty() ? -1 : glance);
            if (ready > 0) read();
        }
        for (auto& one : running_) one.deadline = std::min(one.deadline, base::Clock::now() + last_time);
        while (!running_.empty()) {
            reap();
            poll(nullptr, 0, glance);
        }
        _exit(0);
    }

private:
    struct Running {
        pid_t process;
        base::TimePoint deadline;
    };

    void read() {
        std::array<char, longest_message> message{};
        const ssize_t size = recv(socket_, message.data(), message.size(), 0);
        if (size < 0 && errno == EINTR) return;
        if (size <= 0) {
            over_ = true;  // the program has ended
            return;
        }
        start({message.data(), static_cast<std::size_t>(size)});
    }

    /// `variables`: NAME=VALUE, each with a NUL behind it.
    void start(std::string_view variables) {
        std::vector<std::string> environment{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
        for (std::size_t at = 0; at < variables.size();) {
            const std::size_t end = std::min(variables.find('\0', at), variables.size());
            environment.emplace_back(variables.substr(at, end - at));
            at = end + 1;
        }
        std::vector<char*> words, variables_out;
        for (const auto& word : command_) words.push_back(const_cast<char*>(word.c_str()));
        for (auto& one : environment) variables_out.push_back(one.data());
        words.push_back(nullptr);
        variables_out.push_back(nullptr);
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
        sigset_t every;
        sigfillset(&every);
        posix_spawnattr_setsigdefault(&attributes, &every);
        pid_t process = -1;
        const int error = posix_spawn(&process, command_.front().c_str(), nullptr, &attributes, words.data(), variables_out.data());
        posix_spawnattr_destroy(&attributes);
        if (error != 0) {
            log::error("{}: the hook can't be run: {}; is the path in [admin] hook right, and may this user execute it?", command_.front(),
                       std::strerror(error));
            return;
        }
        running_.push_back({process, base::Clock::now() + time_limit});
    }

    void reap() {
        std::erase_if(running_, [this](const Running& one) {
            int status = 0;
            if (waitpid(one.process, &status, WNOHANG) == one.process) {
                say(status);
                return true;
            }
            if (one.deadline > base::Clock::now()) return false;
            kill(-one.process, SIGKILL);
            waitpid(one.process, &status, 0);
            log::error("{}: the hook did not end in time, and was killed", command_.front());
            return true;
        });
    }

    void say(int status) const {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
        if (WIFEXITED(status)) log::warn("{}: the hook ended with status {}", command_.front(), WEXITSTATUS(status));
        if (WIFSIGNALED(status)) log::warn("{}: the hook was ended by signal {}", command_.front(), WTERMSIG(status));
    }

    int socket_;
    const std::vector<std::string>& command_;
    std::vector<Running> running_{};
    bool over_ = false;
};

}  // namespace

CommandRunner::CommandRunner(const std::vector<std::string>& command, const std::optional<std::string>& user)
    : problems_([](const std::string& text) { log::warn("{}", text); }) {
    if (command.empty()) return;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        log::error("hooks can't be run: {}", std::strerror(errno));
        return;
    }
    helper_ = fork();
    if (helper_ == 0) {
        // Of what the program has open, sockets that systemd passed for one, it keeps its own end and the standard streams.
        close_range(3, static_cast<unsigned>(ends[0]) - 1, 0);
        close_range(static_cast<unsigned>(ends[0]) + 1, ~0U, 0);
        // A terminal's Ctrl-C is for the program; the helper ends when the program has.
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        prctl(PR_SET_NAME, "sftdyn-hook");
        if (const auto given_up = give_up_privileges(user); given_up.has_error()) {
            log::critical("{}", given_up.error().text());
            _exit(1);
        }
        Helper(ends[0], command).work();
    }
    close(ends[0]);
    if (helper_ < 0) {
        log::error("hooks can't be run: {}", std::strerror(errno));
        close(ends[1]);
        return;
    }
    socket_ = ends[1];
}

CommandRunner::~CommandRunner() {
    if (socket_ < 0) return;
    close(socket_);
    waitpid(helper_, nullptr, 0);
    problems_.finish();
}

void CommandRunner::run(const std::map<std::string, std::string>& variables) {
    if (socket_ < 0) return;
    std::string message;
    for (const auto& [name, value] : variables) message += name + '=' + value + '\0';
    if (send(socket_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
    const std::string why = errno == EAGAIN ? "too many wait already" : std::strerror(errno);
    const std::lock_guard lock(mutex_);
    problems_.add("hook", fmt::format("a hook was not run: {}", why), base::Clock::now());
}

}  // namespace sftdyn::cli
