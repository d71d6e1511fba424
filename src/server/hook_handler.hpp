// Requests that the hooks of a Python conf decide: who asks, which host that is, and what the DNS
// server is told.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "accounts/account_directory.hpp"
#include "base/log_throttle.hpp"
#include "http/handler.hpp"
#include "python/conf.hpp"
#include "server/hook_threads.hpp"
#include "telemetry/request_log.hpp"
#include "update/engine.hpp"
#include "update/script_cache.hpp"

namespace sftdyn::server {

class HookHandler {
public:
    using Defer = std::function<http::Later()>;

    /// What it works with; the engine, the log of failures and `busy` are used on the engine's
    /// thread only.
    struct Parts {
        boost::asio::io_context& io;
        update::HostTable& hosts;
        update::ServedCache& known;
        update::Engine& engine;
        telemetry::RequestLog& request_log;
        base::LogThrottle& failures;
        std::function<void()> busy;  ///< the engine has something to do
        std::function<std::optional<http::Response>(const boost::asio::ip::address&, const Defer&)>
            bad_key;
    };
    explicit HookHandler(Parts parts)
        : parts_(std::move(parts)),
          scripted_(std::make_shared<update::ScriptCache>(parts_.hosts)) {}

    struct Settings {
        std::shared_ptr<const python::Conf> conf{};  ///< null: there are no hooks
        std::shared_ptr<const accounts::AccountDirectory>
            directory{};         ///< for a conf without get_host
        std::uint32_t ttl = 30;  ///< seconds, where the conf says nothing
        std::string uptodate{};
        base::Duration timeout{};          ///< of all hooks of a request together
        base::Duration verify_interval{};  ///< how long a confirmed state is believed
        std::size_t queue = 0;             ///< requests that may wait for hooks
    };
    void configure(Settings settings);

    /// Whether requests are to come here. On any thread.
    [[nodiscard]] bool decides() const { return decides_.load(std::memory_order_acquire); }
    /// Whether they are to come with their fields.
    [[nodiscard]] bool needs_fields() const {
        return needs_fields_.load(std::memory_order_relaxed);
    }

    std::optional<http::Response> handle(const http::Request& request, const Defer& defer);

    /// As `HookThreads::stop`.
    [[nodiscard]] bool stop(base::Duration patience);

private:
    struct State;
    struct Task;
    struct Decision;
    using TaskPtr = std::shared_ptr<Task>;

    [[nodiscard]] std::shared_ptr<const State> state() const;
    [[nodiscard]] http::Response unchanged(const Task& task, const update::Target& target) const;
    [[nodiscard]] Decision decide(Task& task);
    [[nodiscard]] Decision decide_host(Task& task, python::Call& call, const std::string& address);
    [[nodiscard]] Decision read(const Task& task, python::Call& call,
                                const std::vector<std::string>& lines, const dns::Name& host,
                                Decision decision);
    [[nodiscard]] std::string shown_remark(const Task& task, python::Call& call,
                                           const std::string& host, const std::string& remark);
    [[nodiscard]] bool is_so(const State& state, const update::Target& target,
                             std::string_view rdata) const;
    void carry_out(const TaskPtr& task, Decision decision);
    void late(const TaskPtr& task);
    void submit(const TaskPtr& task, Decision& decision);
    void say(const Task& task, const update::Target& target, update::UpdateStatus status) const;
    void complain(std::string kind, std::string text);

    Parts parts_;
    std::shared_ptr<update::ScriptCache>
        scripted_;  ///< one for all confs: a request of an old one may end after one of the new
    mutable std::mutex mutex_;
    std::shared_ptr<const State> state_;
    static constexpr std::size_t most_remarks = 1000;
    std::map<std::string, std::string> shown_remarks_;  ///< by host and remark
    std::atomic<bool> decides_ = false;
    std::atomic<bool> needs_fields_ = false;
    std::unique_ptr<HookThreads> threads_;  ///< once there were hooks
};

}  // namespace sftdyn::server
