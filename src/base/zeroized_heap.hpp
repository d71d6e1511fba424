// SPDX-License-Identifier: GPL-3.0-or-later
// Overwrites the memory that a thread frees while it handles secrets.
//
// Parsers copy what they read into tokens, nodes and growing strings. Library code frees these
// copies without overwriting them. While the configuration is loaded, every block that `operator
// delete` gets is therefore filled with zeros first, no matter where it was allocated. At other
// times that costs one test of a thread-local variable.
//
// With the address sanitizer, which quarantines freed blocks, nothing is overwritten.
#pragma once

namespace sftdyn::base {

/// While one exists, memory that its thread frees is overwritten; its destructor also overwrites
/// the stack below it and the vector registers. Constructed and destroyed on the same thread. They
/// may be nested: the inner one then clears the stack.
class ZeroizedHeap {
public:
    ZeroizedHeap() noexcept;
    ~ZeroizedHeap();
    ZeroizedHeap(const ZeroizedHeap&) = delete;
    ZeroizedHeap& operator=(const ZeroizedHeap&) = delete;
};

}  // namespace sftdyn::base
