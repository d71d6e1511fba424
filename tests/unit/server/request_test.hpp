// SPDX-License-Identifier: GPL-3.0-or-later
// A request's way without sockets: a server in memory, a clock that the test sets, and what was
// answered, logged and counted.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <sstream>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "captured_log.hpp"
#include "server/request_context.hpp"
#include "server/update_service.hpp"
#include "update/fake_backend.hpp"
#include "update/usual_limits.hpp"

namespace sftdyn::server {

/// The outcome of one request.
class Answer {
public:
    Responder responder() { return {at_once, defer_}; }
    /// Waits for an answer that another thread gives.
    http::Response await() {
        std::unique_lock lock(mutex_);
        given_.wait(lock, [this] { return at_once || !later.empty(); });
        return at_once ? *at_once : later.front();
    }
    [[nodiscard]] bool is_given() {
        const std::lock_guard lock(mutex_);
        return at_once || !later.empty();
    }
    [[nodiscard]] std::string text() {
        const std::lock_guard lock(mutex_);
        if (!at_once && later.empty()) return "none";
        const http::Response& response = at_once ? *at_once : later.front();
        return std::to_string(response.status) + " " + response.body;
    }

    std::optional<http::Response> at_once{};
    std::vector<http::Response> later{};
    unsigned deferrals = 0;

    const Responder::Defer& defer() const { return defer_; }

private:
    std::mutex mutex_;
    std::condition_variable given_;
    Responder::Defer defer_ = [this]() -> http::Later {
        ++deferrals;
        return [this](http::Response response) {
            const std::lock_guard lock(mutex_);
            later.push_back(std::move(response));
            given_.notify_all();
        };
    };
};

/// At the verbosity of `-v`.
class RequestTest : public testing::Test {
protected:
    /// As CapturedLog has it.
    std::vector<std::string> lines(const std::string& level = "info") { return log_.lines(level); }

    /// All requests that were counted, as "dialect outcome".
    std::map<std::string, unsigned> counts() {
        std::map<std::string, unsigned> found;
        std::istringstream text(request_log.metrics().text({}, "1"));
        const std::string begin = "sftdyn_requests_total{dialect=\"", middle = "\",outcome=\"";
        for (std::string line; std::getline(text, line);) {
            if (!line.starts_with(begin)) continue;
            const auto comma = line.find(middle), end = line.find("\"}");
            const unsigned count = static_cast<unsigned>(std::stoul(line.substr(end + 3)));
            const std::string outcome =
                line.substr(comma + middle.size(), end - comma - middle.size());
            if (count > 0)
                found[line.substr(begin.size(), comma - begin.size()) + " " + outcome] = count;
        }
        return found;
    }

    update::HostId host(const std::string& text) {
        return hosts.number(dns::Name::parse(text).value());
    }

    RequestContext request(Answer& answer, const char* source = "192.0.2.1") {
        return {request_log, settings, boost::asio::ip::make_address(source), now,
                answer.responder()};
    }

    /// Lets the engine and its server do what there is to do.
    void run() {
        do {
            backend.run();
            io.restart();
        } while (io.poll() > 0 || !backend.queue.empty() || !backend.queries.empty() ||
                 !backend.updates.empty());
    }

    /// Settings with this directory.
    void use(accounts::AccountDirectory directory) {
        AnswerSettings fresh = *settings;
        fresh.directory = std::make_shared<const accounts::AccountDirectory>(std::move(directory));
        settings = std::make_shared<const AnswerSettings>(std::move(fresh));
    }

    base::TimePoint now{std::chrono::hours(1)};
    update::HostTable hosts;
    telemetry::RequestLog request_log{hosts};
    std::shared_ptr<const AnswerSettings> settings = std::make_shared<const AnswerSettings>(
        AnswerSettings{.uptodate = "UPTODATE", .freshness = std::chrono::seconds(300)});
    boost::asio::io_context io{1};
    update::FakeBackend backend;
    update::EngineLimits limits = [] {
        update::EngineLimits changed = update::usual_limits();
        changed.changes_burst = 0;
        return changed;
    }();
    UpdateService updates{
        io, backend, hosts, request_log.metrics(), limits, [this] { return now; }};

private:
    CapturedLog log_;
};

using Counts = std::map<std::string, unsigned>;
using Lines = std::vector<std::string>;

}  // namespace sftdyn::server
