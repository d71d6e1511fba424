// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/reloader.hpp"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace sftdyn::server {
namespace {

class ReloaderTest : public testing::Test {
protected:
    /// Runs what the loads bring until there were `count`.
    void await(std::size_t count) {
        while (results.size() < count) {
            io.restart();
            io.run_for(1ms);
        }
    }

    bool is_faulty = false;
    std::function<void()> fault{};  ///< ends a load
    std::atomic<unsigned> loads = 0;
    std::shared_future<void> gate;  ///< that a load waits at
    config::Load load = [this] {
        ++loads;
        if (gate.valid()) gate.wait();
        if (fault) fault();
        config::Loaded loaded;
        const auto host = dns::Name::parse("h.dyn.example.org").value();
        EXPECT_FALSE(loaded.settings.clients.add("key", host, {}, 1));
        if (is_faulty) loaded.diagnostics.push_back(base::Error{"wrong"});
        return loaded;
    };
    boost::asio::io_context io{1};
    update::HostTable hosts;
    platform::SystemdNotifier notifier{io};
    std::vector<Reloaded> results;
    Reloader reloader{io, load, hosts, notifier,
                      [this](Reloaded result) { results.push_back(std::move(result)); }};
};

TEST_F(ReloaderTest, WhatWasLoadedComesToTheEnginesThread) {
    reloader.reload();
    EXPECT_TRUE(results.empty());
    await(1);
    EXPECT_EQ(results[0].clients, 1U);
    ASSERT_NE(results[0].directory, nullptr);
    EXPECT_NE(results[0].directory->find("key"), nullptr);
    EXPECT_EQ(results[0].hosts.all.size(), 1U);
    EXPECT_EQ(results[0].loaded.settings.client_count(), 0U) << "no key stays in memory";
}

TEST_F(ReloaderTest, AFaultyConfigurationHasNoDirectory) {
    is_faulty = true;
    reloader.reload();
    await(1);
    EXPECT_EQ(results[0].directory, nullptr);
    EXPECT_EQ(results[0].loaded.diagnostics.size(), 1U);
}

TEST_F(ReloaderTest, NoExceptionOfALoadEndsTheProcess) {
    struct NoStandardException {};
    for (const auto& one : std::vector<std::function<void()>>{
             [] { throw std::runtime_error("the-secret-key"); }, [] { throw std::bad_alloc(); },
             [] { throw NoStandardException(); }}) {
        fault = one;
        reloader.reload();
        await(results.size() + 1);
        EXPECT_EQ(results.back().directory, nullptr);
        ASSERT_EQ(results.back().loaded.diagnostics.size(), 1U);
        const std::string text = results.back().loaded.diagnostics[0].text();
        EXPECT_NE(text.find("it could not be loaded"), std::string::npos) << text;
        EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    }
    fault = {};
    reloader.reload();
    await(4);
    EXPECT_NE(results[3].directory, nullptr) << "the next one may be good";
}

TEST_F(ReloaderTest, HoweverOftenItIsAskedMeanwhileOneMoreFollows) {
    std::promise<void> opened;
    gate = opened.get_future().share();
    for (int i = 0; i < 5; ++i) reloader.reload();
    EXPECT_FALSE(reloader.ends_by(base::Clock::now()));
    opened.set_value();
    await(2);
    EXPECT_EQ(loads, 2U);
    EXPECT_TRUE(reloader.ends_by(base::Clock::now() + 60s));
    reloader.reload();
    await(3);
    EXPECT_EQ(loads, 3U);
}

TEST_F(ReloaderTest, WithoutAReloadThereIsNothingToWaitFor) {
    EXPECT_TRUE(reloader.ends_by(base::Clock::now()));
}

}  // namespace
}  // namespace sftdyn::server
