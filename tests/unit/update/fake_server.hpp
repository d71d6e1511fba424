// SPDX-License-Identifier: GPL-3.0-or-later
// DNS servers that answer when a test says so, and what it says.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dns/server_client.hpp"
#include "update/server_groups.hpp"

namespace sftdyn::update {

/// Keeps what is sent to it.
class FakeServer : public dns::DnsServer {
public:
    struct Query {
        dns::Name name;
        dns::Type type;
        base::TimePoint deadline;
        Handler handler;
    };
    struct Update {
        dns::Name zone;
        dns::UpdateContent content;
        base::TimePoint send_by;
        base::TimePoint deadline;
        UpdateHandler handler;
        LateAnswer late;

        /// It changes nothing.
        [[nodiscard]] bool is_fence() const {
            const auto* message = std::get_if<dns::UpdateMessage>(&content);
            return message != nullptr && message->empty();
        }
    };

    FakeServer(const dns::ServerAddress& address, std::shared_ptr<dns::TsigKeyProvider> its_keys,
               const dns::ServerOptions& its_options)
        : keys(std::move(its_keys)), options(its_options), name_(text_of(address)) {}

    [[nodiscard]] const std::string& name() const override { return name_; }
    void query(const dns::Name& name, dns::Type type, base::TimePoint deadline,
               Handler handler) override {
        EXPECT_FALSE(closed) << name_;
        queries.push_back({name, type, deadline, std::move(handler)});
    }
    void update(const dns::Name& zone, const dns::UpdateContent& content, base::TimePoint send_by,
                base::TimePoint deadline, UpdateHandler handler, LateAnswer late) override {
        EXPECT_FALSE(closed) << name_;
        updates.push_back({zone, content, send_by, deadline, std::move(handler), std::move(late)});
    }
    void end_if_silent() override { ++ends_if_silent; }
    /// What is under way fails.
    void close() override {
        closed = true;
        for (auto& query : std::exchange(queries, {}))
            query.handler(dns::DnsError{dns::ErrorKind::connection, 0, name_, "closed", ""});
        for (auto& update : std::exchange(updates, {}))
            update.handler(dns::DnsError{dns::ErrorKind::connection, 0, name_, "closed", ""},
                           {dns::DeliveryState::in_doubt, 1});
    }

    /// The oldest that is not answered; there must be one.
    Query take_query() {
        if (queries.empty()) throw std::logic_error(name_ + " was not asked");
        Query query = std::move(queries.front());
        queries.pop_front();
        return query;
    }
    Update take_update() {
        if (updates.empty()) throw std::logic_error(name_ + " got no UPDATE");
        Update update = std::move(updates.front());
        updates.pop_front();
        return update;
    }

    std::deque<Query> queries;
    std::deque<Update> updates;
    unsigned ends_if_silent = 0;
    bool closed = false;
    std::shared_ptr<dns::TsigKeyProvider> keys;
    dns::ServerOptions options;

private:
    std::string name_;
};

/// What will be told, once. Looking at it before is a test's failure.
template <class T>
class Told {
public:
    void tell(T value) {
        EXPECT_FALSE(told_.has_value()) << "twice";
        told_.emplace(std::move(value));
    }
    [[nodiscard]] bool has_value() const { return told_.has_value(); }
    const T* operator->() const { return &told_.value(); }

private:
    std::optional<T> told_;
};

/// All that were made, by their addresses.
class FakeServers {
public:
    /// Nothing is under way any more, and nobody is told: what waits for an answer may hold the
    /// servers, which hold it. To be called while all that is told still lives.
    void drop() {
        std::vector<std::deque<FakeServer::Query>> queries;
        std::vector<std::deque<FakeServer::Update>> updates;
        for (const auto& server : all_) {
            queries.push_back(std::exchange(server->queries, {}));
            updates.push_back(std::exchange(server->updates, {}));
        }
    }

    [[nodiscard]] MakeServer maker() {
        return [this](const dns::ServerAddress& address, std::shared_ptr<dns::TsigKeyProvider> keys,
                      const dns::ServerOptions& options) {
            const auto server = std::make_shared<FakeServer>(address, std::move(keys), options);
            made_[address.address.to_string()] = server;
            all_.push_back(server);
            ++made;
            return server;
        };
    }
    /// It lives as long as this, so that a test sees how it ended.
    FakeServer& at(const std::string& address) { return *made_.at(address); }

    unsigned made = 0;

private:
    std::map<std::string, std::shared_ptr<FakeServer>> made_;
    std::vector<std::shared_ptr<FakeServer>> all_;  ///< also those in whose place others came
};

inline ZoneServers zone_servers(const char* zone, const std::vector<std::string>& addresses) {
    ZoneServers config;
    if (zone != nullptr) config.zone = dns::Name::parse(zone).value();
    for (const std::string& address : addresses)
        config.servers.push_back({boost::asio::ip::make_address(address), 53});
    config.key_files = {"/nonexistent/key"};
    return config;
}

inline dns::Answer authoritative(std::uint16_t rcode, std::vector<dns::Record> answers = {},
                                 std::vector<dns::Record> authority = {}) {
    dns::Answer answer;
    answer.rcode = rcode;
    answer.verified = answer.authoritative = true;
    answer.answers = std::move(answers);
    answer.authority = std::move(authority);
    return answer;
}

inline dns::DnsError dns_failure(dns::ErrorKind kind, const char* detail = "as it was told") {
    return {kind, 0, "fake", detail, ""};
}

}  // namespace sftdyn::update
