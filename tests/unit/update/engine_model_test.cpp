// The engine against a model: random wishes, a server that refuses, loses, delays and revives, in thousands of
// interleavings. Whatever happens, who was told last what the server serves was told the truth.
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "update/engine.hpp"
#include "update/fake_backend.hpp"

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::update;
using dns::Failure;
using dns::Type;

namespace {

class Model {
public:
    explicit Model(std::uint32_t seed) : random_(seed) {
        limits_.changes_burst = 0;
        limits_.batch = pick(1, 8);
        limits_.updates_in_flight = pick(1, 2);
        limits_.queries_in_flight = pick(1, 4);
        limits_.verify_interval = pick(0, 1) != 0 ? 300s : 0s;
        engine_ = std::make_unique<Engine>(
            backend_, hosts_, known_, limits_, [this] { return now_; }, [](const dns::Name&, Type, const Failure&) {});
    }

    void run(unsigned steps) {
        for (unsigned step = 0; step < steps; ++step) one_step();
        end();
    }

    unsigned violations = 0;
    unsigned answered = 0;
    unsigned truths = 0;

private:
    unsigned pick(unsigned least, unsigned most) { return std::uniform_int_distribution<unsigned>(least, most)(random_); }

    struct HostState {
        std::uint64_t last_accepted = 0;  ///< ticket of the last wish
        std::uint64_t told = 0;           ///< ticket of the last wish that was told OK or UPTODATE …
        std::string told_rdata;           ///< … and what it was told
        std::uint64_t failed = 0;         ///< highest ticket of a wish that was answered FAIL
    };

    void wish() {
        const unsigned number = pick(0, 5);
        const dns::Name name = dns::Name::parse("h" + std::to_string(number) + ".dyn.example.org").value();
        const Type type = pick(0, 1) != 0 ? Type::a : Type::aaaa;
        Wish wish;
        wish.target = {hosts_.number(name), type};
        wish.rdata = std::string(type == Type::a ? 4 : 16, static_cast<char>(pick(1, 3)));
        const std::uint64_t ticket = ++tickets_;
        HostState& state = states_[{name.bytes(), type}];
        state.last_accepted = ticket;
        ++asked_;
        // As the HTTP side does: what is known and fresh is answered without the engine.
        if (known_.is(wish.target, wish.rdata, now_ - limits_.verify_interval)) {
            ++answered;
            return told(state, name, type, wish.rdata, ticket);
        }
        engine_->submit(wish, [this, name, type, rdata = wish.rdata, ticket, &state](Result result) {
            ++answered;
            if (result.verdict == Verdict::committed || result.verdict == Verdict::unchanged) {
                told(state, name, type, rdata, ticket);
            } else {
                state.failed = std::max(state.failed, ticket);
            }
        });
    }

    void joint_wish() {
        struct Part {
            dns::Name name;
            Type type;
            std::string rdata;
            std::uint64_t ticket;
        };
        std::vector<Part> parts;
        std::vector<Wish> wishes;
        const auto start = pick(0, 11), count = pick(2, 4);
        for (unsigned i = 0; i < count; ++i) {
            const unsigned which = (start + i * 5) % 12;  // five and twelve have no common divisor: all are different
            const Type type = which % 2 == 0 ? Type::a : Type::aaaa;
            parts.push_back({dns::Name::parse("h" + std::to_string(which / 2) + ".dyn.example.org").value(), type,
                             std::string(type == Type::a ? 4 : 16, static_cast<char>(pick(1, 3))), ++tickets_});
            wishes.push_back({});
            wishes.back().target = {hosts_.number(parts.back().name), type};
            wishes.back().rdata = parts.back().rdata;
            states_[{parts.back().name.bytes(), type}].last_accepted = parts.back().ticket;
        }
        asked_ += count;
        engine_->submit_jointly(std::move(wishes), [this, parts](const std::vector<Result>& results) {
            unsigned good = 0;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                ++answered;
                HostState& state = states_[{parts[i].name.bytes(), parts[i].type}];
                if (results[i].verdict == Verdict::committed || results[i].verdict == Verdict::unchanged) {
                    ++good;
                    told(state, parts[i].name, parts[i].type, parts[i].rdata, parts[i].ticket);
                } else {
                    state.failed = std::max(state.failed, parts[i].ticket);
                }
            }
            if (good != 0 && good != parts.size()) ++violations;  // all or none
        });
    }

    void told(HostState& state, const dns::Name& name, Type type, const std::string& rdata, std::uint64_t ticket) {
        ++truths;
        // It must be so at this very moment, unless somebody edited the zone within the verify interval.
        if (!edited_ && (backend_.served(name, type) != std::vector<std::string>{rdata})) ++violations;
        if (ticket < state.told) ++violations;  // answers of one host come in the order of its wishes
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
                update.done(FakeBackend::failure(Failure::Kind::connection));
                return update.settled();
            case 1:  // carried out, the answer lost; the connection ended
                backend_.carry_out(update);
                update.done(FakeBackend::failure(Failure::Kind::connection));
                return update.settled();
            case 2:  // late, maybe carried out after all
                update.done(FakeBackend::failure(Failure::Kind::timeout));
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
        if (pick(0, 9) == 0) return query.done(FakeBackend::failure(Failure::Kind::timeout));
        backend_.answer(query);
    }

    void one_step() {
        switch (pick(0, 12)) {
            case 0:
            case 1:
            case 2:
                return wish();
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
            case 11:
                if (pick(0, 3) == 0) now_ += std::chrono::milliseconds(pick(1, 3000));
                return engine_->tick();
            default: {
                const std::string culprit = "h" + std::to_string(pick(0, 5)) + ".dyn.example.org";
                if (!backend_.refused.erase(culprit) && pick(0, 2) == 0) backend_.refused.insert(culprit);
            }
        }
    }

    void end() {
        backend_.refused.clear();
        while (!open_fates_.empty()) settle_one();
        backend_.run();
        now_ += 10s;
        engine_->tick();
        while (!backend_.updates.empty() || !backend_.queries.empty() || !backend_.queue.empty()) backend_.run();
        EXPECT_EQ(answered, asked_);
        EXPECT_FALSE(engine_->busy());
        EXPECT_EQ(engine_->slots(), 0U);
        for (const auto& [key, state] : states_) {
            if (state.told < state.failed || state.told == 0) continue;
            EXPECT_EQ(state.told, state.last_accepted);
            EXPECT_EQ(backend_.records[key], std::vector<std::string>{state.told_rdata});
        }
        EXPECT_EQ(violations, 0U);
    }

    std::mt19937 random_;
    Limits limits_;
    base::TimePoint now_{1h};
    FakeBackend backend_;
    HostTable hosts_;
    KnownTable known_;
    std::unique_ptr<Engine> engine_;
    std::map<std::pair<std::string, Type>, HostState> states_;
    std::vector<FakeBackend::Update> open_fates_;
    std::uint64_t tickets_ = 0;
    unsigned asked_ = 0;
    bool edited_ = false;
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
    KnownTable known;
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
