// SPDX-License-Identifier: GPL-3.0-or-later
// How long the look-up of a key takes, by the number of keys.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "accounts/account_directory.hpp"

namespace {

std::string key(std::size_t number) {
    return "0123456789abcdef0123456789abcdef" + std::to_string(number);
}

void look_up(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    sftdyn::accounts::AccountDirectory directory;
    directory.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        (void)directory.add(key(i), {static_cast<std::uint32_t>(i), 30, false});
    std::mt19937 random(1);
    std::vector<std::string> asked;
    for (int i = 0; i < 10000; ++i) asked.push_back(key(random() % count));
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(directory.find(asked[next]));
        next = next + 1 == asked.size() ? 0 : next + 1;
    }
}

BENCHMARK(look_up)->RangeMultiplier(10)->Range(1000, 1000000);

}  // namespace

BENCHMARK_MAIN();
