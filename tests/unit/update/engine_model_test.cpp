// The engine against a model: random desired_records, a server that refuses, loses, delays and
// revives, in thousands of interleavings. Whatever happens, who was told last what the server
// serves was told the truth.
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "update/engine.hpp"
#include "update/fake_backend.hpp"
#include "update/usual_limits.hpp"

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::update;
using dns::DnsError;
using dns::Type;

namespace {

class Model {
public:
    explicit Model(std::uint32_t seed) : random_(seed) {
        limits_.changes_burst = pick(0, 2) == 0 ? pick(1, 3) : 0;
        limits_.batch = pick(1, 8);
        limits_.updates_in_flight = pick(1, 2);
        limits_.queries_in_flight = pick(1, 4);
        limits_.verify_interval = pick(0, 1) != 0 ? 300s : 0s;
        engine_ = std::make_unique<Engine>(
            backend_, hosts_, known_, limits_, [this] { return now_; },
            [](const dns::Name&, Type, const DnsError&) {});
    }

    void run(unsigned steps) {
        for (unsigned step = 0; step < steps; ++step) one_step();
        end();
    }

    unsigned violations = 0;
    unsigned answered = 0;
    unsigned truths = 0;

private:
    unsigned pick(unsigned least, unsigned most) {
        return std::uniform_int_distribution<unsigned>(least, most)(random_);
    }

    struct HostState {
        std::uint64_t last_accepted = 0;  ///< ticket of the last desired
        std::uint64_t told = 0;    ///< ticket of the last desired that was told OK or UPTODATE …
        std::string told_rdata;    ///< … and what it was told
        std::uint64_t failed = 0;  ///< highest ticket of a desired that was answered otherwise
        bool edited =
            false;  ///< somebody else changed the record since it was last written for a client
    };

    static dns::Name name_of(unsigned number) {
        return dns::Name::parse("h" + std::to_string(number) + ".dyn.example.org").value();
    }
    /// Of an address; sometimes none: the record is to be removed.
    std::string random_rdata(Type type) {
        return pick(0, 5) == 0
                   ? std::string()
                   : std::string(type == Type::a ? 4 : 16, static_cast<char>(pick(1, 3)));
    }

    void desired() {
        const unsigned number = pick(0, 5);
        const dns::Name name = name_of(number);
        const Type type = pick(0, 1) != 0 ? Type::a : Type::aaaa;
        DesiredRecord desired;
        desired.target = {hosts_.number(name), type};
        desired.rdata = random_rdata(type);
        if (desired.rdata.empty()) desired.kind = dns::Change::Kind::remove;
        const std::uint64_t ticket = ++tickets_;
        HostState& state = states_[{name.bytes(), type}];
        state.last_accepted = ticket;
        ++asked_;
        // As the HTTP side does: what is known and fresh is answered without the engine.
        if (known_.is(desired.target, desired.rdata, now_ - limits_.verify_interval)) {
            ++answered;
            return told(state, name, type, desired.rdata, ticket, UpdateStatus::unchanged);
        }
        engine_->submit(desired, [this, name, type, rdata = desired.rdata, ticket,
                                  &state](UpdateOutcome result) {
            ++answered;
            if (result.status == UpdateStatus::committed ||
                result.status == UpdateStatus::unchanged) {
                told(state, name, type, rdata, ticket, result.status);
            } else {
                state.failed = std::max(state.failed, ticket);
            }
        });
    }

    /// The record is deleted, and added, in one message or two.
    void script() {
        const dns::Name name = name_of(pick(0, 5));
        const Type type = pick(0, 1) != 0 ? Type::a : Type::aaaa;
        const std::string rdata(type == Type::a ? 4 : 16, static_cast<char>(pick(1, 3)));
        std::vector<dns::UpdateMessage> messages(1);
        messages.back().updates.push_back({name, type, dns::UpdateRecord::Class::any, 0, {}});
        if (pick(0, 1) != 0) messages.emplace_back();
        messages.back().updates.push_back({name, type, dns::UpdateRecord::Class::in, 30, rdata});
        const std::uint64_t ticket = ++tickets_;
        HostState& state = states_[{name.bytes(), type}];
        state.last_accepted = ticket;
        ++asked_;
        const bool whole = messages.size() == 1;  // else somebody's edit may come between
        const auto done = [this, name, type, rdata, ticket, &state, whole](UpdateOutcome result) {
            ++answered;
            if (result.status == UpdateStatus::committed ||
                result.status == UpdateStatus::unchanged) {
                told(state, name, type, rdata, ticket,
                     whole ? result.status : UpdateStatus::unchanged);
            } else {
                state.failed = std::max(state.failed, ticket);
            }
        };
        engine_->submit_messages({hosts_.number(name), type}, std::move(messages), done,
                                 pick(0, 1) != 0 ? rdata : std::string());
    }

    void reconfigure() {
        limits_.timeout = std::chrono::seconds(pick(1, 8));
        limits_.updates_in_flight = pick(1, 2);
        engine_->reconfigure(limits_, pick(0, 1) != 0);
    }

    /// Somebody else changes a record.
    void edit() {
        const dns::Name name = name_of(pick(0, 5));
        const Type type = pick(0, 1) != 0 ? Type::a : Type::aaaa;
        backend_.served(name, type) = {std::string(type == Type::a ? 4 : 16, '\x7f')};
        states_[{name.bytes(), type}].edited = true;
    }

    void joint_wish() {
        struct Part {
            dns::Name name;
            Type type;
            std::string rdata;
            std::uint64_t ticket;
        };
        std::vector<Part> parts;
        std::vector<DesiredRecord> desired_records;
        const auto start = pick(0, 11), count = pick(2, 4);
        for (unsigned i = 0; i < count; ++i) {
            const unsigned which =
                (start + i * 5) % 12;  // five and twelve have no common divisor: all are different
            const Type type = which % 2 == 0 ? Type::a : Type::aaaa;
            parts.push_back({name_of(which / 2), type, random_rdata(type), ++tickets_});
            desired_records.push_back({});
            desired_records.back().target = {hosts_.number(parts.back().name), type};
            desired_records.back().rdata = parts.back().rdata;
            if (parts.back().rdata.empty()) desired_records.back().kind = dns::Change::Kind::remove;
            states_[{parts.back().name.bytes(), type}].last_accepted = parts.back().ticket;
        }
        asked_ += count;
        engine_->submit_group(
            std::move(desired_records), [this, parts](const std::vector<UpdateOutcome>& results) {
                unsigned good = 0, spent = 0;
                for (std::size_t i = 0; i < parts.size(); ++i) {
                    ++answered;
                    HostState& state = states_[{parts[i].name.bytes(), parts[i].type}];
                    if (results[i].status == UpdateStatus::committed ||
                        results[i].status == UpdateStatus::unchanged) {
                        ++good;
                        told(state, parts[i].name, parts[i].type, parts[i].rdata, parts[i].ticket,
                             results[i].status);
                    } else {
                        state.failed = std::max(state.failed, parts[i].ticket);
                        spent += results[i].status == UpdateStatus::over_budget;
                    }
                }
                // All or none; but what is right already is so whatever the others cost.
                if (good + spent != parts.size() && good != 0)
                    violate("a part of what belongs together");
            });
    }

    void violate(const char* what) {
        ++violations;
        ADD_FAILURE() << what;
    }

    static std::vector<std::string> records_of(const std::string& rdata) {
        return rdata.empty() ? std::vector<std::string>() : std::vector<std::string>{rdata};
    }

    void told(HostState& state, const dns::Name& name, Type type, const std::string& rdata,
              std::uint64_t ticket, UpdateStatus status) {
        ++truths;
        // Who changes it writes it whole, whatever others did before.
        if (status == UpdateStatus::committed) state.edited = false;
        // It must be so at this very moment, unless somebody edited the zone within the verify
        // interval.
        if (!state.edited && backend_.served(name, type) != records_of(rdata))
            violate("what is told is not served");
        if (ticket < state.told)
            violate("told out of order");  // answers of one host come in the order of its
                                           // desired_records
        state.told = ticket;
        state.told_rdata = rdata;
    }

    void answer_update() {
        if (backend_.updates.empty()) return;
        const std::size_t which = pick(0, static_cast<unsigned>(backend_.updates.size()) - 1);
        auto update = std::move(backend_.updates[which]);
        backend_.updates.erase(backend_.updates.begin() + static_cast<std::ptrdiff_t>(which));
        switch (pick(0, 9)) {
            case 0:  // lost on its way there; the connection ended
                update.done(FakeBackend::failure(DnsError::Kind::connection));
                return update.settled();
            case 1:  // carried out, the answer lost; the connection ended
                backend_.carry_out(update);
                update.done(FakeBackend::failure(DnsError::Kind::connection));
                return update.settled();
            case 2:  // late, maybe carried out after all
                update.done(FakeBackend::failure(DnsError::Kind::timeout));
                open_fates_.push_back(std::move(update));
                return;
            default:
                return backend_.answer(update);
        }
    }

    void settle_one() {
        if (open_fates_.empty()) return;
        auto update = std::move(open_fates_.back());
        open_fates_.pop_back();
        if (pick(0, 1) != 0) backend_.carry_out(update);
        update.settled();
    }

    void answer_query() {
        if (backend_.queries.empty()) return;
        const std::size_t which = pick(0, static_cast<unsigned>(backend_.queries.size()) - 1);
        auto query = std::move(backend_.queries[which]);
        backend_.queries.erase(backend_.queries.begin() + static_cast<std::ptrdiff_t>(which));
        if (pick(0, 9) == 0) return query.done(FakeBackend::failure(DnsError::Kind::timeout));
        backend_.answer(query);
    }

    void one_step() {
        switch (pick(0, 16)) {
            case 0:
            case 1:
            case 2:
                return desired();
            case 3:
                return joint_wish();
            case 4:
                return backend_.run_searches();
            case 5:
            case 6:
                return answer_query();
            case 7:
            case 8:
            case 9:
                return answer_update();
            case 10:
                return settle_one();
            case 13:
                return script();
            case 14:
                if (pick(0, 7) == 0) reconfigure();
                return;
            case 15:
                if (edits_ && pick(0, 3) == 0) edit();
                return;
            case 16:
                if (pick(0, 3) == 0)
                    backend_.block(FakeBackend::failure(DnsError::Kind::unreachable));
                return;
            case 11:
                if (pick(0, 3) == 0) now_ += std::chrono::milliseconds(pick(1, 3000));
                return engine_->tick();
            default: {
                const std::string culprit = "h" + std::to_string(pick(0, 5)) + ".dyn.example.org";
                if (!backend_.refused.erase(culprit) && pick(0, 2) == 0)
                    backend_.refused.insert(culprit);
            }
        }
    }

    void end() {
        backend_.refused.clear();
        while (!open_fates_.empty()) settle_one();
        backend_.run();
        now_ += 10s;
        engine_->tick();
        while (!backend_.updates.empty() || !backend_.queries.empty() || !backend_.queue.empty())
            backend_.run();
        EXPECT_EQ(answered, asked_);
        EXPECT_FALSE(engine_->busy());
        EXPECT_EQ(engine_->slots(), 0U);
        for (const auto& [key, state] : states_) {
            if (state.told < state.failed || state.told == 0) continue;
            EXPECT_EQ(state.told, state.last_accepted);
            if (!state.edited) {
                EXPECT_EQ(backend_.records[key], records_of(state.told_rdata));
            }
        }
        EXPECT_EQ(violations, 0U);
    }

    std::mt19937 random_;
    Limits limits_ = usual_limits();
    base::TimePoint now_{1h};
    FakeBackend backend_;
    HostTable hosts_;
    ServedCache known_;
    std::unique_ptr<Engine> engine_;
    std::map<std::pair<std::string, Type>, HostState> states_;
    std::vector<FakeBackend::Update> open_fates_;
    std::uint64_t tickets_ = 0;
    unsigned asked_ = 0;
    bool edits_ = pick(0, 2) == 0;  ///< somebody else edits the zone
};

TEST(EngineModel, TheTruthIsToldInThousandsOfInterleavings) {
    unsigned truths = 0;
    for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
        Model model(seed);
        model.run(300);
        truths += model.truths;
        ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    }
    EXPECT_GT(truths, 100000U);  // the model did get to the point
}

TEST(EngineModel, TheSharedTablesAreSafeForManyThreads) {
    HostTable hosts;
    ServedCache known;
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            std::mt19937 random(thread);
            for (int i = 0; i < 20000; ++i) {
                const auto number = static_cast<unsigned>(random() % 100);
                const auto name = dns::Name::parse("h" + std::to_string(number) + ".org").value();
                const Target target{hosts.number(name), Type::a};
                const std::string rdata(4, static_cast<char>(number));
                if (random() % 4 == 0) known.set(target, rdata, base::TimePoint{1h});
                if (random() % 16 == 0) known.forget(target);
                const auto got = random() % 16 == 0 ? known.take(target) : std::nullopt;
                EXPECT_TRUE(!got || got->rdata == rdata);
                EXPECT_EQ(hosts.name(target.host), name);
                EXPECT_FALSE(known.is(target, "zzzz", base::TimePoint{}));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(hosts.size(), 100U);
}

}  // namespace
