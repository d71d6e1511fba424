// SPDX-License-Identifier: GPL-3.0-or-later
// Annotations for which lock guards which data, and which functions expect it held. Clang checks
// them at compile time (-Wthread-safety, preset `clang`); for other compilers the macros are empty.
// A capability is what a thread must hold: a `Mutex`, or a `ThreadRole`.
#pragma once

#ifdef __clang__
#define SFTDYN_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define SFTDYN_THREAD_ANNOTATION(attribute)
#endif

/// Of a class: its objects are capabilities, called `name` in warnings.
#define CAPABILITY(name) SFTDYN_THREAD_ANNOTATION(capability(name))
/// Of a class: its constructor acquires capabilities, its destructor releases them.
#define SCOPED_CAPABILITY SFTDYN_THREAD_ANNOTATION(scoped_lockable)

/// Of a variable: a thread that reads or writes it must hold the capability.
#define GUARDED_BY(capability) SFTDYN_THREAD_ANNOTATION(guarded_by(capability))
/// Of a pointer: the same for what it points to.
#define PT_GUARDED_BY(capability) SFTDYN_THREAD_ANNOTATION(pt_guarded_by(capability))

/// Of a function: the caller must hold the capability.
#define REQUIRES(...) SFTDYN_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
/// Of a function: the caller must not hold the capability; the function acquires it.
#define EXCLUDES(...) SFTDYN_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
/// Of a function: it acquires the capability. Without arguments: that of its object.
#define ACQUIRE(...) SFTDYN_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
/// Of a function: it releases the capability.
#define RELEASE(...) SFTDYN_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
/// Of a function: it returns only if the thread holds the capability.
#define ASSERT_CAPABILITY(...) SFTDYN_THREAD_ANNOTATION(assert_capability(__VA_ARGS__))
/// Of a function: it returns a reference to the capability.
#define RETURN_CAPABILITY(capability) SFTDYN_THREAD_ANNOTATION(lock_returned(capability))
/// Of a function: its body is not checked. Say why.
#define NO_THREAD_SAFETY_ANALYSIS SFTDYN_THREAD_ANNOTATION(no_thread_safety_analysis)
