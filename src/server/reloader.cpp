// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/reloader.hpp"

#include <malloc.h>

#include <memory>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "base/thread.hpp"
#include "base/zeroized_heap.hpp"

namespace sftdyn::server {
namespace {

constexpr const char* no_memory = "it could not be loaded: there is not enough memory";
constexpr const char* defect = "it could not be loaded: an unexpected exception, which is a defect";

Reloaded failed(const char* what, const char* remedy) {
    Reloaded none;
    none.loaded.diagnostics.push_back({what, "", remedy});
    return none;
}

}  // namespace

Reloader::~Reloader() {
    if (thread_.joinable()) thread_.join();
}

void Reloader::reload() {
    if (is_loading_) {
        is_wanted_again_ = true;
        return;
    }
    base::log::info("SIGHUP: reloading the configuration");
    notifier_.reloading();
    is_loading_ = true;
    if (thread_.joinable()) thread_.join();
    std::promise<void> ended;
    ended_ = ended.get_future();
    auto result = std::make_shared<Reloaded>();
    auto thread = base::start_thread([this, result, ended = std::move(ended)]() mutable {
        const base::ZeroizedHeap wiped;  // zeroizes all memory that held the configuration's text
        const char* failure = load(*result);
        malloc_trim(0);  // returns the memory of the configuration's text and tree
        base::insist([&] {
            boost::asio::post(io_, [this, result, failure] {
                loaded(failure == nullptr ? std::move(*result)
                                          : failed(failure, "`sftdyn check` may tell more"));
            });
        });
        ended.set_value();
    });
    if (!thread)
        return loaded(failed("it could not be loaded: there is no thread for it",
                             "send SIGHUP again once there is room for one"));
    thread_ = std::move(*thread);
}

/// Runs on the loading thread. Catches all exceptions; the old configuration stays in force.
/// Returns why nothing was loaded; null: success. The text of an exception is not reported, since
/// it may quote the new configuration.
const char* Reloader::load(Reloaded& result) const {
    try {
        result = try_load();
        return nullptr;
    } catch (const std::bad_alloc&) {
        return no_memory;
    } catch (...) {
        return defect;
    }
}

Reloaded Reloader::try_load() const {
    Reloaded result;
    result.loaded = load_();
    config::Settings& settings = result.loaded.settings;
    result.clients = settings.client_count();
    if (result.loaded.diagnostics.empty()) {
        result.directory = make_directory(settings, hosts_);
        result.hosts = configured_hosts(settings, hosts_);
    }
    settings.clients = {};
    settings.named_clients.clear();
    return result;
}

void Reloader::loaded(Reloaded result) {
    is_loading_ = false;
    done_(std::move(result));
    if (std::exchange(is_wanted_again_, false)) return reload();
    notifier_.ready();
}

bool Reloader::ends_by(base::TimePoint deadline) const {
    return !thread_.joinable() || ended_.wait_until(deadline) == std::future_status::ready;
}

}  // namespace sftdyn::server
