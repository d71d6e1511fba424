// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/history_store.hpp"

#include <chrono>
#include <new>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "base/thread.hpp"

namespace sftdyn::telemetry {
namespace {

constexpr auto save_interval = std::chrono::seconds(10);

}  // namespace

Store::Store(std::unique_ptr<Database> database, History& history, const update::HostTable& hosts)
    : database_(std::move(database)),
      history_(history),
      hosts_(hosts),
      problems_([](const std::string& text) { base::log::warn("{}", text); }),
      thread_(base::start_thread([this] { work(); })) {
    if (!thread_)
        base::log::warn(
            "there is no thread to save the history of hosts: it is saved when sftdyn ends, and "
            "lost if it is killed");
}

Store::~Store() {
    {
        const base::MutexLock lock(mutex_);
        ending_ = true;
    }
    end_.notify_all();
    if (thread_)
        thread_->join();
    else
        base::survive_no_memory([this] { save(); });
    base::survive_no_memory([this] { save_events(); });
    base::survive_no_memory([this] { problems_.finish(); });
}

void Store::work() {
    for (bool last = false; !last;) {
        {
            const base::MutexLock lock(mutex_);
            last =
                end_.wait_for(mutex_, save_interval, [this]() REQUIRES(mutex_) { return ending_; });
        }
        base::survive_no_memory([this] { save(); });
    }
}

/// Called after the thread has ended.
void Store::save_events() {
    if (events_.empty()) return;
    const auto saved = database_->keep_events(events_, hosts_);
    if (saved.has_error())
        problems_.add(saved.error().what, saved.error().text(), base::Clock::now());
}

void Store::save() {
    const History::Unsaved unsaved = history_.take_unsaved();
    if (unsaved.empty()) return;
    try {
        const auto saved = database_->save(unsaved, hosts_);
        if (!saved.has_error()) return;
        history_.not_saved(unsaved);
        problems_.add(saved.error().what, saved.error().text(), base::Clock::now());
    } catch (const std::bad_alloc&) {
        history_.not_saved(unsaved);
        throw;
    }
}

}  // namespace sftdyn::telemetry
