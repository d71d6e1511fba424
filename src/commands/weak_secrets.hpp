// SPDX-License-Identifier: GPL-3.0-or-later
// What makes secrets known, or known too easily: who may read or change their files, keys that can
// be guessed, and keys that get in each other's way. Nothing of it keeps the program from running;
// `check` and `doctor` say it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace sftdyn::commands {

/// One finding, with the remedy.
struct Weakness {
    const char* subject;  ///< as the doctor calls it: "conf", "key", "certificate", "clients"
    base::Error error;    ///< without the secret
};

/// Of the configuration, the TSIG keys and the private keys of certificates, as far as they are
/// there.
[[nodiscard]] std::vector<Weakness> weak_files(const config::Loaded& loaded);

/// Of the clients' keys and passwords, as far as the configuration holds them. At most `most_told`,
/// and how many more.
[[nodiscard]] std::vector<Weakness> weak_keys(const config::Loaded& loaded);
constexpr std::size_t most_told = 10;

/// How many guesses a text takes at least, as a power of two: words and numbers are tried first.
[[nodiscard]] double bits_of(std::string_view secret);
constexpr double enough_bits = 48;

}  // namespace sftdyn::commands
