// SPDX-License-Identifier: GPL-3.0-or-later
// A request that hooks of a Python conf are asked about.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "http/message.hpp"
#include "python/conf.hpp"
#include "server/request_context.hpp"

namespace sftdyn::server {

/// A request on its way through the hooks. Shared by the thread that runs them and by the timeout:
/// one of both claims it, and ends it.
struct HookTask : std::enable_shared_from_this<HookTask> {
    /// Takes the header fields of `asked`.
    HookTask(RequestContext& from, const http::Request& asked, std::string_view with_key);
    virtual ~HookTask() { base::zeroize(key); }
    HookTask(const HookTask&) = delete;
    HookTask& operator=(const HookTask&) = delete;

    /// For what it has; hooks are asked of the conf of the thread.
    [[nodiscard]] const python::Conf& conf() const { return *request->settings().hooks; }

    /// A text that a hook of `call` gave, fit for the log.
    [[nodiscard]] std::string shown(std::string_view text, python::Call& call) const;
    /// As `shown`, for a message of ours that quotes such a text.
    [[nodiscard]] std::string shown_quote(const std::string& message, python::Call& call) const;

    /// Who asks: what get_ip said, where that is an address; before it `peer`.
    [[nodiscard]] boost::asio::ip::address client() const {
        const base::MutexLock lock(mutex_);
        return client_;
    }
    void set_client(const boost::asio::ip::address& client) {
        const base::MutexLock lock(mutex_);
        client_ = client;
    }

    /// Whether the caller is who has the request: hooks, or timeout. Then it is that of `client()`.
    [[nodiscard]] bool claim() {
        if (is_claimed_.exchange(true)) return false;
        request->set_source(client());
        return true;
    }

    std::shared_ptr<RequestContext>
        request;                          ///< who has claimed it may end it, and tell its source
    const boost::asio::ip::address peer;  ///< where it came from
    std::string key;
    python::Fields fields;
    std::atomic<const char*> hook = nullptr;  ///< that runs; null: none yet

private:
    mutable base::Mutex mutex_;
    boost::asio::ip::address client_ GUARDED_BY(mutex_);
    std::atomic<bool> is_claimed_ = false;
};

using HookTaskPtr = std::shared_ptr<HookTask>;

}  // namespace sftdyn::server
