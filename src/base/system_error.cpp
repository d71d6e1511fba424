// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/system_error.hpp"

#include <cstring>

namespace sftdyn::base {

std::string system_error_text(int code) {
    char buffer[256];
    return strerror_r(code, buffer, sizeof buffer);  // the GNU version, which returns the text
}

}  // namespace sftdyn::base
