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
#include "base/zeroized_heap.hpp"
#include "server/event_command.hpp"
#include "server/wiring.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

/// Raises the soft limit of descriptors to the hard limit. The soft limit exists for programs that
/// use select(2).
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log::debug("the limit of open files stays as it is: {}", base::system_error_text(errno));
}

/// Loads the configuration. Null: it has errors, which were logged.
std::unique_ptr<config::Loaded> load_good(const config::Load& load) {
    const base::ZeroizedHeap below;  // zeroizes the stack of the load
    auto loaded = std::make_unique<config::Loaded>(load());
    log::use_format(loaded->settings.log_format);
    for (const auto& diagnostic : loaded->diagnostics) log::critical("{}", diagnostic.text());
    if (!loaded->diagnostics.empty()) return nullptr;
    for (const auto& warning : loaded->settings.warnings) log::warn("{}", warning.text());
    return loaded;
}

/// Makes the service, and `runner` for it. Null: it can't be started, and the reason was logged.
std::unique_ptr<Service> make_service(const config::Load& load, std::optional<EventCommand>& runner,
                                      std::vector<http::Endpoint> passed) {
    const base::ZeroizedHeap wiped;  // zeroizes all memory that held the configuration's text
    auto loaded = load_good(load);
    if (!loaded) return nullptr;
    runner.emplace(event_command_settings(loaded->settings), [&loaded] {
        {
            const base::ZeroizedHeap below;
            loaded.reset();  // which has the clients' keys
        }
        malloc_trim(0);
    });
    return std::make_unique<Service>(std::move(*loaded), load, *runner, std::move(passed));
}

}  // namespace

int serve(const config::Load& load, const Service::Ready& ready,
          std::vector<http::Endpoint> passed) {
    raise_descriptor_limit();
    std::optional<EventCommand> runner;
    const auto service = make_service(load, runner, std::move(passed));
    if (!service) return 1;
    malloc_trim(0);  // returns the memory of the configuration's text and tree
    const int status = service->run(ready);
    if (!service->is_over()) {
        log::warn("Python code does not return: it is ended with the process");
        std::cout.flush();
        std::_Exit(status);
    }
    return status;
}

}  // namespace sftdyn::server
