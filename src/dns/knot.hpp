// SPDX-License-Identifier: GPL-3.0-or-later
// libknot's headers, which are C and don't say so to C++ themselves.
#pragma once

// What they include themselves must not be seen as C.
#include <cassert>
#include <cstdbool>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#include <libdnssec/tsig.h>
#include <libknot/libknot.h>
#include <libknot/tsig-op.h>
}
