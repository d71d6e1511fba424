// SPDX-License-Identifier: GPL-3.0-or-later
// Which lock guards what, and which functions expect it held: Clang checks it as it compiles
// (-Wthread-safety, preset `clang`); to other compilers these macros say nothing. A capability is
// what a thread must have: a `Mutex`, or a `ThreadRole`.
#pragma once

#ifdef __clang__
#define SFTDYN_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define SFTDYN_THREAD_ANNOTATION(attribute)
#endif

/// Of a class: its objects are capabilities, called `name` in warnings.
#define CAPABILITY(name) SFTDYN_THREAD_ANNOTATION(capability(name))
/// Of a class: its constructor takes capabilities, its destructor gives them back.
#define SCOPED_CAPABILITY SFTDYN_THREAD_ANNOTATION(scoped_lockable)

/// Of a variable: who reads or writes it has the capability.
#define GUARDED_BY(capability) SFTDYN_THREAD_ANNOTATION(guarded_by(capability))
/// Of a pointer: the same for what it points to.
#define PT_GUARDED_BY(capability) SFTDYN_THREAD_ANNOTATION(pt_guarded_by(capability))

/// Of a function: who calls it has the capability.
#define REQUIRES(...) SFTDYN_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
/// Of a function: who calls it has not; the function takes it.
#define EXCLUDES(...) SFTDYN_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
/// Of a function: it takes the capability. Without arguments: that of its object.
#define ACQUIRE(...) SFTDYN_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
/// Of a function: it gives the capability back.
#define RELEASE(...) SFTDYN_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
/// Of a function: it returns only if the thread has the capability.
#define ASSERT_CAPABILITY(...) SFTDYN_THREAD_ANNOTATION(assert_capability(__VA_ARGS__))
/// Of a function: it returns a reference to the capability.
#define RETURN_CAPABILITY(capability) SFTDYN_THREAD_ANNOTATION(lock_returned(capability))
/// Of a function: its body is not checked. Say why.
#define NO_THREAD_SAFETY_ANALYSIS SFTDYN_THREAD_ANNOTATION(no_thread_safety_analysis)
