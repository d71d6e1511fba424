// The engine's backend on real DNS servers: which servers serve which zone, tried in order.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "dns/server_client.hpp"
#include "update/backend.hpp"
#include "update/in_doubt.hpp"

namespace sftdyn::update {

/// The server of one zone, or of all zones that have no entry of their own.
struct ZoneServers {
    std::optional<dns::Name> zone;            ///< absent: asked from the server
    std::vector<dns::ServerAddress> servers;  ///< its addresses, tried in order
    std::vector<std::string> key_files;       ///< the first that exists is used
    bool tcp_only = false;
    friend bool operator==(const ZoneServers&, const ZoneServers&) = default;
};

/// How a server is.
struct ServerState {
    std::string name{};  ///< address and port
    std::optional<dns::Name>
        zone{};  ///< that it is for; absent: all that have no entry of their own
    std::optional<dns::DnsError> failure{};  ///< absent: it answers, and takes our signature
};

class DnsBackend : public Backend {
public:
    explicit DnsBackend(boost::asio::io_context& io);

    /// `groups` in any order; the entry with the longest zone that holds a name is the one that
    /// serves it. What is under way or in doubt at a server that is not among them any more ends as
    /// if it were.
    void configure(const std::vector<ZoneServers>& groups);

    /// Ends everything that is under way: the process ends.
    void close();

    void find_zone(const dns::Name& name, base::TimePoint deadline, Done<dns::Name> done) override;
    void look_up(const dns::Name& zone, const dns::Name& name, dns::Type type,
                 base::TimePoint deadline, Done<std::vector<std::string>> done) override;
    void apply(const dns::Name& zone, dns::UpdateContent content, base::TimePoint deadline,
               Done<dns::Answer> done, std::function<void()> resolved) override;
    void contact(const dns::Name& zone, std::function<void()> resolved) override;

    /// Asks every server a signed question, and calls back when all have answered or the time is
    /// up.
    void probe(base::TimePoint deadline,
               std::function<void(const std::vector<ServerState>&)> done) const;

private:
    struct Member {
        std::shared_ptr<dns::ServerClient> server;
        base::TimePoint avoid_until{};  ///< it was down: the others come first until then
    };
    /// Held by the configuration, and by all that is under way or in doubt there; closed with the
    /// last of them.
    struct Group {
        ZoneServers config;
        std::vector<Member> members;

        Group() = default;
        Group(const Group&) = delete;
        Group& operator=(const Group&) = delete;
        ~Group();
        void close() const;
    };
    struct Query;
    struct Search;
    struct Fence;

    [[nodiscard]] std::shared_ptr<Group> group_of(const dns::Name& name) const;
    [[nodiscard]] static std::vector<std::size_t> order(const Group& group);
    void ask(const std::shared_ptr<Query>& query);
    void step(const std::shared_ptr<Search>& search);
    struct Update;
    void attempt(const std::shared_ptr<Update>& update);
    void attempted(const std::shared_ptr<Update>& update, Member& member, std::uint64_t number,
                   dns::Reply reply, dns::Delivery delivery);
    struct FenceWay {
        std::shared_ptr<Group> group;
        std::size_t member = 0;
    };
    [[nodiscard]] std::vector<FenceWay> fence_ways(const dns::Name& zone,
                                                   const std::shared_ptr<Group>& before,
                                                   const InDoubt::Way& last,
                                                   unsigned attempt) const;
    void send_fence(const std::shared_ptr<Fence>& fence);

    boost::asio::io_context& io_;
    std::vector<std::shared_ptr<Group>> groups_;
    std::vector<std::weak_ptr<Group>> replaced_;          ///< groups of former configurations
    std::map<dns::Name, base::TimePoint> no_zone_until_;  ///< reverse names that the server refused
    InDoubt in_doubt_;
};

}  // namespace sftdyn::update
