// SPDX-License-Identifier: GPL-3.0-or-later
// The engine against a model: random desired records, groups, scripts and configurations, a second
// node on the same zones, somebody who edits them, and servers that refuse, lose, delay and revive.
// Whatever happens, who was told last what the server serves was told the truth.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "update/engine.hpp"
#include "update/fake_backend.hpp"
#include "update/usual_limits.hpp"

namespace sftdyn::update {

/// What a run has done: none of it may stay 0 over all runs.
struct ModelCounts {
    unsigned truths = 0;  ///< somebody was told what is served
    unsigned scripts_told = 0;
    unsigned groups_told = 0;
    unsigned removals_told = 0;
    unsigned over_budget = 0;
    unsigned turned_away = 0;  ///< by a full zone, after it was accepted
    unsigned pointers_set = 0;
    unsigned edits = 0;  ///< by somebody else
    unsigned server_changes = 0;
    unsigned sent_again = 0;
    unsigned late = 0;  ///< carried out after it was given up
    unsigned of_earlier_process = 0;
    unsigned hidden_told = 0;   ///< that what the server has confirmed is not served
    unsigned edits_beside = 0;  ///< in the same version of the zone as an UPDATE
    unsigned serials_read = 0;
    unsigned told_by_serial = 0;  ///< UPTODATE that no query for the record was sent for
    unsigned told_elsewhere = 0;  ///< by the second node
};

/// The same servers, for the second node.
class SecondBackend : public Backend {
public:
    explicit SecondBackend(FakeBackend& servers) : servers_(servers) {}
    void find_zone(const dns::Name& name, base::TimePoint deadline, Done<dns::Name> done) override {
        servers_.find_zone(name, deadline, std::move(done));
    }
    void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                 base::TimePoint deadline, Done<ServedRecords> done) override {
        servers_.look_up(zone, name, type, deadline, std::move(done));
    }
    void read_serial(const dns::Name& zone, base::TimePoint deadline,
                     Done<SerialReading> done) override {
        servers_.read_serial(zone, deadline, std::move(done));
    }
    [[nodiscard]] bool answers_queries(const dns::Name& zone) const override {
        return servers_.answers_queries(zone);
    }
    void apply(const dns::Name& zone, dns::UpdateContent content, base::TimePoint deadline,
               Done<dns::Answer> done, std::function<void()> resolved) override {
        servers_.apply(zone, std::move(content), deadline, std::move(done), std::move(resolved));
        servers_.updates.back().node = 1;
    }
    void contact(const dns::Name& zone, std::function<void()> resolved) override {
        servers_.contact(zone, std::move(resolved));
    }

private:
    FakeBackend& servers_;
};

class EngineModel {
public:
    EngineModel(std::uint32_t seed, ModelCounts& counts);
    void run(unsigned steps);

private:
    struct HostState {
        std::uint64_t last_accepted = 0;  ///< ticket of the last desired record
        std::uint64_t told = 0;           ///< ticket of the last that was told OK or UPTODATE …
        std::string told_rdata{};         ///< … and what it was told
        std::uint64_t failed = 0;         ///< highest ticket of one that was answered otherwise
        bool edited = false;     ///< by somebody else since it was last written for a client
        bool told_here = false;  ///< of the server that is asked now
        bool unsure = false;     ///< another host's script may change it at any time
    };
    struct Record {
        dns::Name name;
        dns::Type type;
        [[nodiscard]] std::pair<std::string, dns::Type> key() const { return {name.bytes(), type}; }
    };

    unsigned pick(unsigned least, unsigned most) {
        return std::uniform_int_distribution<unsigned>(least, most)(random_);
    }
    bool one_in(unsigned count) { return pick(1, count) == 1; }
    static dns::Name name_of(unsigned number) {
        return dns::Name::parse("h" + std::to_string(number) + ".dyn.example.org").value();
    }
    static std::string address(dns::Type type, unsigned number) {
        return std::string(type == dns::Type::a ? 4 : 16, static_cast<char>(number));
    }
    static std::vector<std::string> records_of(const std::string& rdata) {
        return rdata.empty() ? std::vector<std::string>() : std::vector<std::string>{rdata};
    }
    Record random_record() {
        const auto which = pick(0, 11);
        return {name_of(which / 2), which % 2 == 0 ? dns::Type::a : dns::Type::aaaa};
    }
    /// Of an address; sometimes none: the record is to be removed.
    std::string random_rdata(dns::Type type) {
        return one_in(6) ? std::string() : address(type, pick(1, 3));
    }
    HostState& state(const Record& record) { return states_[record.key()]; }
    void violate(const std::string& what) { ADD_FAILURE() << what; }

    void one_step();
    void end();

    // What clients and others do.
    DesiredRecord random_desired(const Record& record);
    std::uint64_t accept(const Record& record);
    void give(const std::function<void()>& submit);
    void submit();
    void submit_elsewhere();
    void submit_group();
    void submit_script();
    void reconfigure();
    void change_servers();
    void edit();
    void edit_pointer();

    // What the servers do.
    void answer_update();
    void resolve_one();
    void finish_earlier_process();
    void answer_query();
    void answer_serial();
    void on_change(const FakeBackend::RecordKey& key, const std::vector<std::string>& before,
                   unsigned node);
    void check_pointers(const FakeBackend::Update& update);

    // What is told. `is_whole`: nothing can have come between the change and this.
    void tell(const Record& record, const std::string& rdata, std::uint64_t ticket,
              UpdateStatus status, bool is_whole = true);
    /// The record was served at some time since `began`, or shortly before as the limits allow.
    void check_was_served(const Record& record, const std::string& rdata, base::TimePoint began);
    void count_paid(HostId host);
    void check_deadlines();
    /// Who was told last, and has asked for nothing since, is still served so.
    void check_served();

    std::mt19937 random_;
    ModelCounts& counts_;
    EngineLimits limits_ = usual_limits();
    base::TimePoint now_{std::chrono::hours(1)};
    base::TimePoint begun_{now_};
    FakeBackend backend_;
    HostTable hosts_;
    ServedCache known_;
    std::unique_ptr<Engine> engine_;
    SecondBackend second_backend_{backend_};
    HostTable second_hosts_;
    ServedCache second_known_;
    std::unique_ptr<Engine> second_engine_;
    /// When the current server last ceased to serve this.
    std::map<std::pair<FakeBackend::RecordKey, std::vector<std::string>>, base::TimePoint>
        replaced_;
    std::map<std::pair<std::string, dns::Type>, HostState> states_;
    std::vector<FakeBackend::Update> in_doubt_;
    std::map<HostId, unsigned> paid_;  ///< changes that were told OK, by the host that paid
    struct OpenRequest {
        base::TimePoint began, deadline;
    };
    std::map<std::uint64_t, OpenRequest> open_;                    ///< by ticket
    std::set<std::pair<unsigned, std::string>> foreign_pointers_;  ///< server, owner
    std::uint64_t tickets_ = 0;
    bool edits_ = false;       ///< somebody else edits the zone
    bool elsewhere_ = false;   ///< there is a second node
    bool no_serials_ = false;  ///< SOA queries fail
    bool reverse_ = false;     ///< there are reverse zones
    bool accepting_ = false;   ///< the engine is being given something
    bool zones_ = false;       ///< some hosts have a zone of their own
};

}  // namespace sftdyn::update
