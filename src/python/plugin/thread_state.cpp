// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/thread_state.hpp"

#include <cstddef>
#include <new>
#include <utility>

namespace sftdyn::python {
namespace {

/// CPython's own allocator of the domain that the states are from.
PyMemAllocatorEx raw{};

/// A zeroed block for the state that this thread is making. PyThreadState_New of CPython 3.11
/// crashes when it gets no memory for one.
thread_local void* reserved = nullptr;
// A state is larger than the public structure in newer versions.
constexpr std::size_t reserved_size = sizeof(PyThreadState) + 2048;

void* allocate(void* context, std::size_t size) { return raw.malloc(context, size); }

void* allocate_zeroed(void* context, std::size_t count, std::size_t size) {
    if (reserved != nullptr && size != 0 && count <= reserved_size / size)
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
    void* block = raw.calloc(raw.ctx, 1, reserved_size);
    if (block == nullptr) throw std::bad_alloc();
    reserved = block;
    PyThreadState* state = PyThreadState_New(PyInterpreterState_Main());
    if (void* unused = std::exchange(reserved, nullptr)) raw.free(raw.ctx, unused);
    if (state == nullptr) throw std::bad_alloc();
    return state;
}

void delete_thread_state(PyThreadState* state) {
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
}

}  // namespace sftdyn::python
