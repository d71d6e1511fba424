// SPDX-License-Identifier: GPL-3.0-or-later
// The one translation unit that compiles Asio and Beast.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
