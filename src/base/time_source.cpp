// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/time_source.hpp"

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace sftdyn::base {
namespace {

class SystemTimer : public Timer {
public:
    explicit SystemTimer(boost::asio::io_context& io) : timer_(io) {}
    ~SystemTimer() override { ++*settings_; }

    void set(TimePoint at, Expired expired) override {
        const unsigned setting = ++*settings_;
        timer_.expires_at(at);
        timer_.async_wait([settings = settings_, setting,
                           expired = std::move(expired)](boost::system::error_code error) {
            // Setting the timer again does not cancel a handler that is queued already.
            if (!error && *settings == setting) expired();
        });
    }
    void cancel() override {
        ++*settings_;
        timer_.cancel();
    }

private:
    boost::asio::steady_timer timer_;
    /// Counts each `set`, `cancel` and destruction. Shared with queued handlers, so that it
    /// outlives the timer.
    std::shared_ptr<unsigned> settings_ = std::make_shared<unsigned>(0);
};

class SystemTime : public TimeSource {
public:
    explicit SystemTime(boost::asio::io_context& io) : io_(io) {}

    [[nodiscard]] TimePoint now() const override { return Clock::now(); }
    [[nodiscard]] std::unique_ptr<Timer> timer() override {
        return std::make_unique<SystemTimer>(io_);
    }

private:
    boost::asio::io_context& io_;
};

}  // namespace

TimeSourcePtr system_time(boost::asio::io_context& io) { return std::make_shared<SystemTime>(io); }

}  // namespace sftdyn::base
