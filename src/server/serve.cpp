// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/serve.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/system_error.hpp"
#include "base/wiped_heap.hpp"
#include "server/event_command.hpp"
#include "server/wiring.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

/// As many connections as the system allows: the soft limit is for programs that use select(2).
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log::debug("the limit of open files stays as it is: {}", base::system_error_text(errno));
}

/// Null: it has complaints, which are said.
std::unique_ptr<config::Loaded> load_good(const config::Load& load) {
    const base::WipedHeap below;  // the load's stack, too
    auto loaded = std::make_unique<config::Loaded>(load());
    for (const auto& complaint : loaded->complaints) log::critical("{}", complaint.text());
    if (!loaded->complaints.empty()) return nullptr;
    return loaded;
}

/// Null: it can't be started, and why is said. `runner` is made for it.
std::unique_ptr<Service> make_service(const config::Load& load,
                                      std::optional<EventCommand>& runner) {
    const base::WipedHeap wiped;  // of all that the configuration's text went through
    auto loaded = load_good(load);
    if (!loaded) return nullptr;
    runner.emplace(event_command_settings(loaded->settings), [&loaded] {
        {
            const base::WipedHeap below;
            loaded.reset();  // with the clients' keys
        }
        malloc_trim(0);
    });
    return std::make_unique<Service>(std::move(*loaded), load, *runner);
}

}  // namespace

int serve(const config::Load& load, const Service::Ready& ready) {
    raise_descriptor_limit();
    std::optional<EventCommand> runner;
    const auto service = make_service(load, runner);
    if (!service) return 1;
    malloc_trim(0);  // the configuration as text and tree is no longer needed
    const int status = service->run(ready);
    if (!service->is_over()) {
        log::warn("Python code does not return: it is ended with the process");
        std::cout.flush();
        std::_Exit(status);
    }
    return status;
}

}  // namespace sftdyn::server
