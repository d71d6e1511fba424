// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's parts, put together as `Engine` does, for tests of each.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "update/batch_sender.hpp"
#include "update/fake_backend.hpp"
#include "update/reconciler.hpp"
#include "update/script_sender.hpp"
#include "update/usual_limits.hpp"

namespace sftdyn::update {

class EnginePartsTest : public testing::Test {
protected:
    using Told = std::optional<UpdateOutcome>;
    static constexpr dns::Type a = dns::Type::a, aaaa = dns::Type::aaaa, ptr = dns::Type::ptr;

    EnginePartsTest() {
        backend.usual_ttl = 30;
        backend.on_blocked([this](const dns::Name& zone, const dns::DnsError& failure) {
            batches.blocked(zone, failure);
        });
    }
    void TearDown() override {
        parts.rrsets.for_each([](const RrsetKey&, const RrsetQueue& queue) { queue.check(); });
    }

    static dns::Name host(int number, const std::string& zone = "dyn.example.org") {
        return dns::Name::parse("h" + std::to_string(number) + "." + zone).value();
    }
    RrsetKey rrset(int number, dns::Type type = dns::Type::a) {
        return {hosts.number(host(number)), type};
    }
    /// Of four octets.
    static std::string address(int number) {
        return std::string("\x7f\0\0", 3) + static_cast<char>(number);
    }
    DesiredRecord record(int number, const std::string& rdata, dns::Type type = dns::Type::a) {
        DesiredRecord desired;
        desired.rrset = rrset(number, type);
        desired.ttl = 30;
        desired.rdata = rdata;
        if (rdata.empty()) desired.kind = dns::ChangeKind::remove;
        return desired;
    }
    /// Where the outcome will be.
    Told& submit(DesiredRecord desired) {
        Told& told = told_.emplace_back();
        reconciler.submit(std::move(desired), [&told](UpdateOutcome outcome) {
            EXPECT_FALSE(told.has_value()) << "told twice";
            told = outcome;
        });
        return told;
    }
    Told& submit(int number, const std::string& rdata, dns::Type type = dns::Type::a) {
        return submit(record(number, rdata, type));
    }
    std::vector<UpdateOutcome>& submit_group(std::vector<DesiredRecord> desired_records) {
        auto& told = group_told_.emplace_back();
        reconciler.submit_group(std::move(desired_records),
                                [&told](const std::vector<UpdateOutcome>& outcomes) {
                                    EXPECT_TRUE(told.empty()) << "told twice";
                                    told = outcomes;
                                });
        return told;
    }
    static dns::UpdateMessage message_for(int number, const std::string& rdata,
                                          dns::Type type = dns::Type::a) {
        dns::UpdateMessage message;
        message.updates.push_back({host(number), type, dns::UpdateRecord::Class::any, 0, {}});
        message.updates.push_back({host(number), type, dns::UpdateRecord::Class::in, 30, rdata});
        return message;
    }
    Told& submit_script(int number, std::vector<dns::UpdateMessage> messages,
                        std::string served = {}) {
        Told& told = told_.emplace_back();
        scripts.submit(
            rrset(number), std::move(messages),
            [&told](UpdateOutcome outcome) {
                EXPECT_FALSE(told.has_value()) << "told twice";
                told = outcome;
            },
            std::move(served));
        return told;
    }
    static UpdateStatus status(const Told& told) {
        return told ? told->status : static_cast<UpdateStatus>(99);
    }
    static std::vector<UpdateStatus> statuses(const std::vector<UpdateOutcome>& outcomes) {
        std::vector<UpdateStatus> all;
        for (const UpdateOutcome& outcome : outcomes) all.push_back(outcome.status);
        return all;
    }
    RrsetState state(const RrsetKey& of) { return parts.rrsets.at(of).state(); }
    /// The owners of the changes of an UPDATE.
    static std::vector<std::string> owners(const FakeBackend::Update& update) {
        std::vector<std::string> names;
        for (const dns::Change& change : update.changes) names.push_back(change.owner.text());
        return names;
    }
    /// Ends it without an answer.
    static void lose(const FakeBackend::Update& update) {
        update.done(FakeBackend::failure(dns::ErrorKind::timeout));
    }
    void tick_after(base::Duration time) {
        now += time;
        reconciler.tick(now);
        scripts.tick(now);
    }

    base::TimePoint now{std::chrono::hours(1)};
    FakeBackend backend;
    HostTable hosts;
    ServedCache known;
    std::vector<std::string> failures;
    EngineParts parts{
        .backend = backend,
        .hosts = hosts,
        .known = known,
        .limits = usual_limits(),
        .clock = [this] { return now; },
        .on_failure =
            [this](const dns::Name& of, dns::Type type, const dns::DnsError& why) {
                failures.push_back(of.text() + " " + dns::type_text(type) + ": " + why.detail);
            },
        .reconciler = reconciler,
        .batches = batches,
        .scripts = scripts};
    Reconciler reconciler{parts};
    BatchSender batches{parts};
    ScriptSender scripts{parts};

private:
    std::deque<Told> told_;
    std::deque<std::vector<UpdateOutcome>> group_told_;
};

}  // namespace sftdyn::update
