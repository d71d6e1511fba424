// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/job_loop.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <thread>

#include <spdlog/spdlog.h>

#include "python/plugin/shared_objects.hpp"

namespace sftdyn::python {
namespace {

/// Set by the thread that first imports asyncio. Used with the interpreter's lock held.
bool is_asyncio_there = false;

/// Releases the interpreter's lock for its lifetime.
class WithoutLock {
public:
    WithoutLock() : thread_(PyEval_SaveThread()) {}
    ~WithoutLock() { PyEval_RestoreThread(thread_); }
    WithoutLock(const WithoutLock&) = delete;
    WithoutLock& operator=(const WithoutLock&) = delete;

private:
    PyThreadState* thread_;
};

/// The jobs of a thread, as event_loop.py uses them.
class JobLoop {
public:
    explicit JobLoop(Jobs& jobs) : jobs_(jobs) {}

    /// Runs jobs until it is asyncio's turn: it was given work (`touched`), `patience` has passed
    /// (in seconds; negative: never), or its descriptor may be readable. With a patience of 0, runs
    /// one job. `descriptor` is asyncio's epoll descriptor; -1: asyncio is not used.
    void run(int descriptor, double patience) {
        using Clock = base::Clock;
        std::optional<base::TimePoint> until;
        const auto begun = Clock::now();
        if (patience >= 0)
            until = begun + std::chrono::duration_cast<base::Duration>(
                                std::chrono::duration<double>(std::min(patience, longest_wait)));
        touched_ = false;
        end_copy_of_process();
        for (;;) {
            const auto took = jobs_.run_next();
            is_closed_ = took == Jobs::Took::closed;
            if (is_closed_ || touched_ || patience == 0) return;
            if (descriptor < 0 && is_asyncio_there) return;
            if (took == Jobs::Took::job) {
                if (descriptor < 0) continue;
                const auto now = Clock::now();
                if ((until && now >= *until) || now - begun >= longest_turn) return;
                continue;
            }
            wait(descriptor, until);
            // If the wait ended for another reason than a job, asyncio handles it.
            if (descriptor >= 0) patience = 0;
        }
    }

    [[nodiscard]] bool is_closed() const { return is_closed_; }
    [[nodiscard]] bool touched() const { return touched_; }
    void set_touched(bool touched) { touched_ = touched; }

private:
    void wait(int descriptor, std::optional<base::TimePoint> until) {
        const WithoutLock unlocked;
        jobs_.wait(descriptor, until);
    }

    static constexpr double longest_wait = 3600;
    /// How often asyncio's descriptors are polled while jobs arrive continuously.
    static constexpr auto longest_turn = std::chrono::milliseconds(10);

    Jobs& jobs_;
    bool touched_ = false;
    bool is_closed_ = false;
};

class PythonAttached : public Attached {
public:
    PythonAttached() : number_(PyThread_get_thread_ident()), thread_(new_thread_state()) {}
    ~PythonAttached() override {
        PyEval_RestoreThread(thread_);
        for (int tries = 0; tries < most_tries && !try_leaving(); ++tries) {
        }
        delete_thread_state(thread_);
    }
    PythonAttached(const PythonAttached&) = delete;
    PythonAttached& operator=(const PythonAttached&) = delete;

    std::uint64_t number() const override { return number_; }

    void serve(Jobs& jobs) override {
        const Gil gil;
        const auto try_serving = [&] {
            return guarded<bool>(
                [&] {
                    shared->support.attr("serve")(py::cast(JobLoop(jobs)));
                    return true;
                },
                [](py::error_already_set&) { return false; }, false);
        };
        // `serve` returns when the jobs are closed. After an exception it is called again.
        while (!try_serving()) {
        }
    }

    void unlocked(const std::function<void()>& call) override {
        const WithoutLock unlocked;
        call();
    }

    void clear_interrupt() override {
        const Gil gil;
        PyThreadState_SetAsyncExc(number_, nullptr);
        PyErr_Clear();
    }

private:
    /// Releases what the conf has of the process.
    static bool try_leaving() {
        return guarded<bool>(
            [] {
                shared->support.attr("leave")();
                return true;
            },
            [](py::error_already_set&) { return false; }, false);
    }

    /// How often it is tried, after lack of memory or an interrupt that came too late.
    static constexpr int most_tries = 3;

    unsigned long number_;
    PyThreadState* thread_;
};

// --- signals ---

constexpr int by_default = -1, ignored = -2;
/// The pipe of the thread whose conf was the last to register for the signal; negative: none.
std::array<std::atomic<int>, NSIG> pipes_of_signals;
/// The number of that conf. Used with the interpreter's lock held.
std::array<std::uint64_t, NSIG> confs_of_signals;
std::atomic<unsigned> handlers_at_work = 0;

void on_signal(int number) {
    ++handlers_at_work;
    const int kept = errno;
    const int pipe = pipes_of_signals[static_cast<std::size_t>(number)];
    const auto octet = static_cast<unsigned char>(number);
    // A full pipe already contains a signal.
    if (pipe >= 0) static_cast<void>(!write(pipe, &octet, 1));
    errno = kept;
    --handlers_at_work;
}

void direct_signal(int number, int pipe) {
    pipes_of_signals.at(static_cast<std::size_t>(number)) = pipe;
    struct sigaction action {};
    action.sa_flags = SA_RESTART;
    action.sa_handler = pipe == by_default ? SIG_DFL : pipe == ignored ? SIG_IGN : on_signal;
    if (sigaction(number, &action, nullptr) == 0) return;
    PyErr_SetFromErrno(PyExc_OSError);
    throw py::error_already_set();
}

/// `pipe` gets the signal's number; or it is `by_default` or `ignored`. What a later conf has
/// registered stays, since an earlier one may be run again to finish its requests.
void set_signal(int number, int pipe, std::uint64_t conf) {
    auto& owner = confs_of_signals.at(static_cast<std::size_t>(number));
    if (conf < owner) return;
    owner = conf;
    direct_signal(number, pipe);
}

/// Ignores the signal when its thread ends, unless another thread has registered for it. After
/// that, no handler uses the pipe.
void release_signal(int number, int pipe) {
    if (pipes_of_signals.at(static_cast<std::size_t>(number)) != pipe) return;
    direct_signal(number, ignored);
    while (handlers_at_work != 0) std::this_thread::yield();
}

void log_line(int level, const std::string& text) {
    spdlog::log(static_cast<spdlog::level::level_enum>(level), "{}", text);
}

}  // namespace

std::unique_ptr<Attached> attach_thread() { return std::make_unique<PythonAttached>(); }

void define_job_loop(py::module_& module) {
    py::class_<JobLoop>(module, "JobLoop")
        .def("run", &JobLoop::run)
        .def_property_readonly("closed", &JobLoop::is_closed)
        .def_property("touched", &JobLoop::touched, &JobLoop::set_touched);
    module.def("asyncio_is_there", [] { is_asyncio_there = true; });
    module.def("set_signal", &set_signal);
    module.def("release_signal", &release_signal);
    module.def("log", &log_line);
}

}  // namespace sftdyn::python
