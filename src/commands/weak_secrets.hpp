// SPDX-License-Identifier: GPL-3.0-or-later
// Finds weaknesses of secrets: files that others can read or change, keys that can be guessed, and
// keys that hide each other. The program runs in spite of them; `check` and `doctor` report them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace sftdyn::commands {

/// One weakness, with the remedy.
struct Weakness {
    const char* subject;  ///< the doctor's name for it: "conf", "key", "certificate", "clients"
    base::Error error;    ///< does not quote the secret
};

/// Checks the configuration and the files that it includes, the TSIG keys and the certificates'
/// private keys. Missing files are skipped.
[[nodiscard]] std::vector<Weakness> weak_files(const config::Loaded& loaded);

/// Checks the clients' keys and passwords, as far as the configuration has them. Reports at most
/// `most_told`, and the number of the others.
[[nodiscard]] std::vector<Weakness> weak_keys(const config::Loaded& loaded);
constexpr std::size_t most_told = 10;

/// Estimates the guesses that a secret takes, in bits. Words and numbers count less, because they
/// are tried first.
[[nodiscard]] double bits_of(std::string_view secret);
constexpr double enough_bits = 48;

}  // namespace sftdyn::commands
