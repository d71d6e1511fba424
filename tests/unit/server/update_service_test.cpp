// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/update_service.hpp"

#include <functional>
#include <utility>

#include "server/request_test.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;
using update::UpdateOutcome;
using update::UpdateStatus;

class UpdateServiceTest : public RequestTest {
protected:
    update::DesiredRecord desired(const std::string& of, const char* address = "192.0.2.1") {
        const auto parsed = boost::asio::ip::make_address(address);
        update::DesiredRecord record;
        record.rrset = {host(of), dns::type_of(parsed)};
        record.rdata = dns::rdata_of(parsed);
        return record;
    }
    bool is_served(const update::DesiredRecord& record) {
        return updates.is_served(record.rrset, record.rdata, record.ttl, now - 300s);
    }
    UpdateService::Done done() {
        return [this](UpdateOutcome outcome) { statuses.push_back(outcome.status); };
    }

    std::vector<UpdateStatus> statuses;
    const std::string name = "h.dyn.example.org";
};

TEST_F(UpdateServiceTest, NothingIsDoneBeforeTheEnginesThreadRuns) {
    const auto record = desired(name);
    updates.submit(record, done());
    EXPECT_EQ(updates.waiting(), 0U);
    EXPECT_FALSE(is_served(record));
    io.poll();
    EXPECT_EQ(updates.waiting(), 1U);
    EXPECT_TRUE(statuses.empty());
    run();
    EXPECT_EQ(statuses, std::vector{UpdateStatus::committed});
    EXPECT_TRUE(is_served(record));
    EXPECT_TRUE(updates.is_still_so(record));
    EXPECT_EQ(updates.waiting(), 0U);
}

TEST_F(UpdateServiceTest, WhatIsServedIsBelievedForAWhile) {
    const auto record = desired(name);
    updates.submit(record, done());
    run();
    now += 300s;
    EXPECT_TRUE(is_served(record));
    now += 1s;
    EXPECT_FALSE(is_served(record));
    EXPECT_FALSE(is_served(desired(name, "192.0.2.2")));
}

TEST_F(UpdateServiceTest, WhatIsNotAnsweredEndsAtItsDeadline) {
    updates.submit(desired(name), done());
    io.poll();
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    now += limits.timeout;
    while (statuses.empty()) io.run_one();
    EXPECT_EQ(statuses, std::vector{UpdateStatus::failed});
    EXPECT_EQ(lines("error").size(), 1U);
}

TEST_F(UpdateServiceTest, AFailureIsCountedEachTimeAndSaidOnce) {
    backend.refused.insert(name);
    for (int i = 0; i < 3; ++i) {
        updates.submit(desired(name), done());
        run();
    }
    EXPECT_EQ(statuses, std::vector(3, UpdateStatus::failed));
    EXPECT_EQ(lines("error").size(), 1U);
    EXPECT_NE(request_log.metrics().text({}, "1").find("errors_total{kind=\"rcode\"} 3\n"),
              std::string::npos);
    updates.finish();
    EXPECT_EQ(lines("error").size(), 1U) << "the count of the others";
}

TEST_F(UpdateServiceTest, GroupsAreAnsweredByTheirNumber) {
    std::map<std::size_t, std::size_t> sizes;
    updates.submit_groups(
        {{desired(name), desired(name, "2001:db8::1")}, {desired("i.dyn.example.org")}},
        [&](std::size_t group, const std::vector<UpdateOutcome>& outcomes) {
            EXPECT_FALSE(sizes.contains(group));
            sizes[group] = outcomes.size();
        });
    run();
    EXPECT_EQ(sizes, (std::map<std::size_t, std::size_t>{{0, 2}, {1, 1}}));
    EXPECT_TRUE(is_served(desired(name, "2001:db8::1")));
}

TEST_F(UpdateServiceTest, OtherServersAreAskedAnew) {
    const auto record = desired(name);
    updates.submit(record, done());
    run();
    updates.configure(limits, false);
    EXPECT_TRUE(is_served(record));
    updates.configure(limits, true);
    EXPECT_FALSE(is_served(record));
}

class HookUpdates : public UpdateServiceTest {
protected:
    /// One message that gives the host the address, and says `text` of it too.
    HookUpdate script() {
        HookUpdate update;
        update.desired = desired(name);
        update.address = update.desired.rdata;
        update.is_desired_record = false;
        auto& message = update.messages.emplace_back();
        const auto owner = dns::Name::parse(name).value();
        message.zone = dns::Name::parse("dyn.example.org").value();
        message.updates.push_back({owner, dns::Type::a, dns::UpdateRecord::Class::any, 0, {}});
        message.updates.push_back(
            {owner, dns::Type::a, dns::UpdateRecord::Class::in, 30, update.address});
        return update;
    }
    bool is_scripted() {
        const auto record = desired(name);
        return updates.is_served_or_scripted(record.rrset, record.rdata, now - 300s);
    }
    void submit(HookUpdate update) {
        updates.submit_hook_update(std::move(update), done());
        run();
    }
};

TEST_F(HookUpdates, MessagesAreRememberedByTheAddressThatTheyWereFor) {
    submit(script());
    EXPECT_EQ(statuses, std::vector{UpdateStatus::committed});
    EXPECT_TRUE(is_scripted());
    EXPECT_FALSE(is_served(desired(name))) << "a script may do anything";
    now += 301s;
    EXPECT_FALSE(is_scripted());
    submit(script());
    EXPECT_EQ(statuses.back(), UpdateStatus::unchanged) << "the server was asked";
    EXPECT_TRUE(is_scripted());
}

TEST_F(HookUpdates, AnotherConfMayMeanOtherScripts) {
    submit(script());
    EXPECT_TRUE(is_scripted());
    updates.configure(limits, false);
    EXPECT_FALSE(is_scripted());
}

TEST_F(HookUpdates, AChangeOfTheRecordEndsWhatAScriptWasFor) {
    submit(script());
    updates.submit(desired(name, "192.0.2.9"), done());
    run();
    EXPECT_FALSE(is_scripted());
}

TEST_F(HookUpdates, APairIsRememberedUntilSomethingElseTouchesItsNames) {
    const auto submit_pair = [this](std::uint64_t pair) {
        auto update = script();
        update.address.clear();
        update.pair = pair;
        submit(std::move(update));
        EXPECT_EQ(statuses.back(), UpdateStatus::committed);
    };
    const auto change = [this](update::DesiredRecord record) {
        updates.submit(std::move(record), done());
        run();
        EXPECT_EQ(statuses.back(), UpdateStatus::committed);
    };
    auto removal = desired(name);
    removal.kind = dns::ChangeKind::remove;
    const std::vector<std::pair<const char*, std::function<void()>>> touches = {
        {"another pair", [&] { submit_pair(2); }},
        {"a script", [&] { submit(script()); }},
        {"a desired record", [&] { change(desired(name, "2001:db8::1")); }},
        {"a removal", [&] { change(removal); }},
        {"a group",
         [&] {
             updates.submit_groups({{desired(name, "192.0.2.9")}},
                                   [](std::size_t, const std::vector<UpdateOutcome>&) {});
             run();
         }},
    };
    for (const auto& [what, touch] : touches) {
        EXPECT_FALSE(updates.is_scripted(1)) << what;
        submit_pair(1);
        now += 301s;
        EXPECT_TRUE(updates.is_scripted(1)) << what << ": only Python can tell what it stands for";
        updates.submit(desired("else.dyn.example.org"), done());
        run();
        EXPECT_TRUE(updates.is_scripted(1)) << what;
        touch();
        EXPECT_FALSE(updates.is_scripted(1)) << what;
    }
    updates.confirm_empty_script(3);
    EXPECT_TRUE(updates.is_scripted(3));
    backend.refused.insert(name);
    auto refused = script();
    refused.pair = 1;
    submit(std::move(refused));
    EXPECT_FALSE(updates.is_scripted(1));
}

TEST_F(HookUpdates, ARefusedMessageIsNotRemembered) {
    backend.refused.insert(name);
    submit(script());
    EXPECT_EQ(statuses, std::vector{UpdateStatus::failed});
    EXPECT_FALSE(is_scripted());
}

TEST_F(HookUpdates, WhatOnlyReplacesAnAddressIsADesiredRecord) {
    auto update = script();
    update.is_desired_record = true;
    update.zone = update.messages.front().zone;
    submit(update);
    EXPECT_TRUE(is_served(desired(name)));
    EXPECT_EQ(backend.batch_sizes.size(), 1U);
}

TEST_F(HookUpdates, AnotherZoneThanTheServersIsSentAsItIsWritten) {
    updates.submit(desired(name), done());
    run();
    auto update = script();
    update.is_desired_record = true;
    update.zone = dns::Name::parse("example.net").value();
    update.messages.front().zone = update.zone;
    submit(update);
    EXPECT_EQ(backend.batch_sizes.size(), 1U) << "the first one's";
    EXPECT_EQ(backend.last_zone.text(), "example.net");
}

}  // namespace
}  // namespace sftdyn::server
