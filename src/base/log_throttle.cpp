// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log_throttle.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/journal_sink.hpp"
#include "base/mutex.hpp"

namespace sftdyn::base {
namespace {

// Counts all kinds beyond `most_kinds`. A control character, so that no caller's kind has this
// name.
const std::string others = "\x01";

/// All throttles of the process. Lock order: this mutex before that of a throttle.
struct Registry {
    Mutex mutex;
    std::set<LogThrottle*> all GUARDED_BY(mutex);
};

Registry& registry() {
    static Registry one;
    return one;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

LogThrottle::LogThrottle(Say say, Duration window) : say_(std::move(say)), window_(window) {
    Registry& throttles = registry();
    const MutexLock lock(throttles.mutex);
    throttles.all.insert(this);
}

LogThrottle::~LogThrottle() {
    Registry& throttles = registry();
    const MutexLock lock(throttles.mutex);
    throttles.all.erase(this);
}

void LogThrottle::add(const std::string& kind, const std::string& text, TimePoint now) {
    const MutexLock lock(mutex_);
    if (begin_locked(kind, now)) return say_(text);
    count_locked(kind, now).last = first_line(text);
}

void LogThrottle::add_lazily(const std::string& kind, const std::function<std::string()>& make_text,
                             TimePoint now) {
    bool is_said = false;
    {
        const MutexLock lock(mutex_);
        is_said = begin_locked(kind, now);
        Count& count = is_said ? kinds_.at(kind) : count_locked(kind, now);
        // A kind that `add` has begun has its text; the kinds beyond `most_kinds` need one.
        if (!is_said && (count.has_first || kinds_.contains(kind))) return;
        count.has_first = true;
    }
    // `make_text` may wait for a lock whose holder waits for the mutex: the interpreter's.
    const std::string text = make_text();
    const MutexLock lock(mutex_);
    if (is_said) say_(text);
    if (const auto found = kinds_.find(is_said ? kind : others); found != kinds_.end())
        found->second.first = first_line(text);
}

/// True: a window of the kind begins, and it is to be logged now. False: it is to be counted.
bool LogThrottle::begin_locked(const std::string& kind, TimePoint now) {
    summarise_locked(now);
    return kinds_.size() < most_kinds && kinds_.try_emplace(kind, Count{now + window_}).second;
}

/// Counts one more of the kind, or of all kinds that have no window of their own.
LogThrottle::Count& LogThrottle::count_locked(const std::string& kind, TimePoint now) {
    auto found = kinds_.find(kind);
    if (found == kinds_.end()) found = kinds_.try_emplace(others, Count{now + window_}).first;
    ++found->second.silent;
    add_fields(found->second.fields);
    return found->second;
}

/// Adds the fields of the thread's current scope. The journal accepts several values of one field.
void LogThrottle::add_fields(log::Fields& target) {
    if (log::fields_now == nullptr) return;
    for (const auto& field : *log::fields_now) {
        if (target.size() >= most_fields) return;
        const bool is_there = std::ranges::any_of(target, [&field](const auto& other) {
            return std::string_view(other.first) == field.first && other.second == field.second;
        });
        if (!is_there) target.push_back(field);
    }
}

void LogThrottle::say_summary(const Count& count) const {
    if (count.silent == 0) return;
    const log::FieldScope scope(count.fields);
    if (!count.last.empty())
        return say_(fmt::format("{} more like it since; the last: {}", count.silent, count.last));
    if (!count.first.empty())
        return say_(fmt::format("{} more like it since the first: {}", count.silent, count.first));
    say_(fmt::format("{} more like it since", count.silent));
}

void LogThrottle::summarise_locked(TimePoint now) {
    for (auto it = kinds_.begin(); it != kinds_.end();) {
        if (it->second.until > now) {
            ++it;
            continue;
        }
        say_summary(it->second);
        it = kinds_.erase(it);
    }
}

void LogThrottle::summarise(TimePoint now) {
    const MutexLock lock(mutex_);
    summarise_locked(now);
}

void LogThrottle::summarise_all(TimePoint now) {
    Registry& throttles = registry();
    const MutexLock lock(throttles.mutex);
    for (LogThrottle* one : throttles.all) one->summarise(now);
}

void LogThrottle::finish() {
    const MutexLock lock(mutex_);
    for (const auto& [kind, count] : kinds_) say_summary(count);
    kinds_.clear();
}

}  // namespace sftdyn::base
