#include "base/repeats.hpp"

#include <fmt/format.h>

namespace sftdyn::base {
namespace {

// More kinds at once than any sane day has; past that the oldest bookkeeping is dropped, not memory spent.
constexpr std::size_t most_kinds = 1000;

}  // namespace

Repeats::Repeats(Say say, Duration window) : say_(std::move(say)), window_(window) {}

void Repeats::add(const std::string& kind, const std::string& text, TimePoint now) {
    summarise(now);
    const auto found = kinds_.find(kind);
    if (found != kinds_.end()) {
        ++found->second.silent;
        found->second.last = text.substr(0, text.find('\n'));
        return;
    }
    if (kinds_.size() >= most_kinds) finish();
    kinds_.emplace(kind, Count{now + window_, 0, {}});
    say_(text);
}

void Repeats::say_summary(const Count& count) {
    if (count.silent > 0) say_(fmt::format("{} more like it since; the last: {}", count.silent, count.last));
}

void Repeats::summarise(TimePoint now) {
    for (auto it = kinds_.begin(); it != kinds_.end();) {
        if (it->second.until > now) {
            ++it;
            continue;
        }
        say_summary(it->second);
        it = kinds_.erase(it);
    }
}

void Repeats::finish() {
    for (const auto& [kind, count] : kinds_) say_summary(count);
    kinds_.clear();
}

}  // namespace sftdyn::base
