// SPDX-License-Identifier: GPL-3.0-or-later
// Overwrites what a thread frees, while it handles secrets.
//
// Parsers copy what they read: into tokens, nodes and strings that grow. Each copy is freed by
// somebody else's code, and stays in memory until something is put in its place. Where the
// configuration is loaded, every block that `operator delete` gets is therefore filled with zeros
// first, whoever allocated it. Elsewhere that costs one test of a thread's own variable.
//
// With the address sanitizer, which keeps freed blocks from everybody, nothing is overwritten.
#pragma once

namespace sftdyn::base {

/// While one lives, its thread's freed memory is overwritten; at its end the stack below it and the
/// vector registers too. It
/// is made and dropped on the same thread; one may live within another, for the stack's sake.
class ZeroizedHeap {
public:
    ZeroizedHeap() noexcept;
    ~ZeroizedHeap();
    ZeroizedHeap(const ZeroizedHeap&) = delete;
    ZeroizedHeap& operator=(const ZeroizedHeap&) = delete;
};

}  // namespace sftdyn::base
