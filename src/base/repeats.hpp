// Says the first of a kind of error, and counts the rest: a flood becomes a summary.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/clock.hpp"

namespace sftdyn::base {

class Repeats {
public:
    using Say = std::function<void(const std::string&)>;

    /// `say` writes a line; `window` is how long a kind stays silent after it was said.
    explicit Repeats(Say say, Duration window = std::chrono::seconds(60));

    /// One more error of `kind`. The first of a window is said at once, with `text`; of the others the last one's first line.
    void add(const std::string& kind, const std::string& text, TimePoint now);

    /// Says what was counted in windows that have ended. Call it now and then.
    void summarise(TimePoint now);

    /// Says everything that is still only counted (at the program's end).
    void finish();

private:
    struct Count {
        TimePoint until;
        std::uint64_t silent = 0;
        std::string last;
    };
    void say_summary(const Count& count);

    Say say_;
    Duration window_;
    std::map<std::string, Count> kinds_;
};

}  // namespace sftdyn::base
