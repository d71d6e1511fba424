// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/word_distance.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sftdyn::base {
namespace {

/// How many characters are to be added, left out, replaced, or swapped with their neighbour
/// (Damerau and Levenshtein, each place changed once).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> two_before(b.size() + 1), before(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) before[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min(
                {before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], two_before[j - 2] + 1);
        }
        std::swap(two_before, before);
        std::swap(before, row);
    }
    return before[b.size()];
}

}  // namespace

bool is_near(std::string_view word, std::string_view ours) {
    // Half of a short word may not be guessed.
    const std::size_t most = ours.size() < 3 ? 0 : ours.size() < 7 ? 1 : 2;
    const std::size_t difference =
        word.size() > ours.size() ? word.size() - ours.size() : ours.size() - word.size();
    return difference <= most && distance(word, ours) <= most;
}

}  // namespace sftdyn::base
