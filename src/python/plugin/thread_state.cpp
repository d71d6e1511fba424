// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/thread_state.hpp"

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <new>
#include <utility>

#include "base/mutex.hpp"

namespace sftdyn::python {
namespace {

/// CPython's own allocator of the domain that the states are from.
PyMemAllocatorEx raw{};

/// A zeroed block for the state that a thread is making. PyThreadState_New of CPython 3.11 crashes
/// when it gets no memory for one. Not thread_local: the C library ends the process when it gets no
/// memory for such data of a plugin.
base::Mutex mutex;
void* reserved = nullptr;  ///< used by the thread `reserving` only
std::atomic<pthread_t> reserving{};
// A state is larger than the public structure in newer versions.
constexpr std::size_t reserved_size = sizeof(PyThreadState) + 2048;

void* allocate(void* context, std::size_t size) { return raw.malloc(context, size); }

void* allocate_zeroed(void* context, std::size_t count, std::size_t size) {
    const bool is_ours = reserving.load(std::memory_order_relaxed) == pthread_self();
    if (is_ours && reserved != nullptr && size != 0 && count <= reserved_size / size)
        return std::exchange(reserved, nullptr);
    return raw.calloc(context, count, size);
}

void* resize(void* context, void* block, std::size_t size) {
    return raw.realloc(context, block, size);
}

void release(void* context, void* block) { raw.free(context, block); }

}  // namespace

void prepare_thread_states() {
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
    PyMemAllocatorEx ours{raw.ctx, allocate, allocate_zeroed, resize, release};
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &ours);
}

PyThreadState* new_thread_state() {
    const base::MutexLock lock(mutex);
    reserved = raw.calloc(raw.ctx, 1, reserved_size);
    if (reserved == nullptr) throw std::bad_alloc();
    reserving = pthread_self();
    PyThreadState* state = PyThreadState_New(PyInterpreterState_Main());
    reserving = pthread_t();
    if (void* unused = std::exchange(reserved, nullptr)) raw.free(raw.ctx, unused);
    if (state == nullptr) throw std::bad_alloc();
    return state;
}

void delete_thread_state(PyThreadState* state) {
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
}

}  // namespace sftdyn::python
