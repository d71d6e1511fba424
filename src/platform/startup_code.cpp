// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/startup_code.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace sftdyn::platform {
namespace {

/// Releases the code of one shared object. Only segments that can't be written to: code, never
/// data.
int release_code(dl_phdr_info* object, std::size_t, void*) noexcept {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & (PF_X | PF_W)) != PF_X) continue;
        const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
        const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_filesz;
        // Fails for the vDSO, which is not a file.
        static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));
    }
    return 0;
}

}  // namespace

void release_startup_code() noexcept { dl_iterate_phdr(release_code, nullptr); }

}  // namespace sftdyn::platform
