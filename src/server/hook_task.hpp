// SPDX-License-Identifier: GPL-3.0-or-later
// A request that is decided by the hooks of a Python conf.
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

/// A request that is passed to the hooks. Shared by the thread that runs them and by the timeout.
/// One of the two claims the request's context and completes it; the other members stay valid for
/// both.
struct HookTask {
    /// Moves the header fields out of `asked`.
    HookTask(RequestContext& from, const http::Request& asked, std::string_view with_key);
    virtual ~HookTask() { base::zeroize(key); }
    HookTask(const HookTask&) = delete;
    HookTask& operator=(const HookTask&) = delete;

    /// The conf of the settings, to see which hooks it has. The hooks themselves are called on the
    /// thread's own conf.
    [[nodiscard]] const python::Conf& conf() const { return *settings->hooks; }

    /// The text of a hook of `call`, redacted and escaped for the log.
    [[nodiscard]] std::string shown(std::string_view text, python::Call& call) const;
    /// As `shown`, for a message of ours that quotes the text of a hook.
    [[nodiscard]] std::string shown_quote(const std::string& message, python::Call& call) const;

    /// The client's address: the result of get_ip, if that is an address; until then `peer`.
    [[nodiscard]] boost::asio::ip::address client() const {
        const base::MutexLock lock(mutex_);
        return client_;
    }
    void set_client(const boost::asio::ip::address& client) {
        const base::MutexLock lock(mutex_);
        client_ = client;
    }

    /// Takes the request's context, and sets its source to `client()`. Null: it was already taken.
    [[nodiscard]] std::shared_ptr<RequestContext> claim();

    const std::shared_ptr<const AnswerSettings> settings;
    const base::TimePoint began;
    const boost::asio::ip::address peer;  ///< the source address of the connection
    std::string key;
    python::Fields fields;
    std::atomic<const char*> hook = nullptr;  ///< the running hook; null: none yet

private:
    mutable base::Mutex mutex_;
    boost::asio::ip::address client_ GUARDED_BY(mutex_);
    std::shared_ptr<RequestContext> request_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::server
