// SPDX-License-Identifier: GPL-3.0-or-later
// Boost.JSON is compiled once, here.
#include <boost/json/src.hpp>
