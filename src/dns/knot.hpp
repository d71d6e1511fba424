// SPDX-License-Identifier: GPL-3.0-or-later
// libknot's headers. They are C headers without `extern "C"`.
#pragma once

// The headers that they include come first, outside of `extern "C"`.
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
