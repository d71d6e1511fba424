// SPDX-License-Identifier: GPL-3.0-or-later
// Errors are values: what went wrong, where, and what to do about it.
#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>

namespace sftdyn::base {

/// An error for a person to read. It never contains a secret.
struct Error {
    std::string what;      ///< what is wrong, as a whole phrase
    std::string where{};   ///< a file with line and column, a server, a host; may be empty
    std::string remedy{};  ///< what to do about it; may be empty

    /// "where: what; remedy", without the empty parts.
    [[nodiscard]] std::string text() const {
        std::string out = where.empty() ? what : where + ": " + what;
        if (!remedy.empty()) out += "; " + remedy;
        return out;
    }
};

/// Called by `result::value()` on an error: reading a value that is not there is a bug.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw std::logic_error("unchecked error: " + error.text());
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace sftdyn::base
