// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/wiring.hpp"

#include <gmock/gmock.h>

#include "captured_log.hpp"
#include "names.hpp"
#include "server/fake_conf.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using config::Listen;
using config::Settings;
using testing::ElementsAre;
using testing::IsEmpty;

config::ZoneSettings zone(const char* of, std::optional<std::uint32_t> ttl) {
    config::ZoneSettings settings;
    settings.zone = name(of);
    settings.ttl = ttl;
    return settings;
}

TEST(Wiring, EachLimitOfHttpIsItsSetting) {
    Settings settings;
    settings.handshake_time = 1s;
    settings.header_time = 2s;
    settings.idle_time = 3s;
    settings.write_time = 4s;
    settings.header_size = 5;
    settings.body_size = 6;
    settings.connections = 7;
    settings.connections_per_client = 8;
    settings.requests_per_connection = 9;
    const http::Limits limits = http_limits(settings);
    EXPECT_EQ(limits.handshake_time, 1s);
    EXPECT_EQ(limits.header_time, 2s);
    EXPECT_EQ(limits.idle_time, 3s);
    EXPECT_EQ(limits.write_time, 4s);
    EXPECT_EQ(limits.header_octets, 5U);
    EXPECT_EQ(limits.body_octets, 6U);
    EXPECT_EQ(limits.connections, 7U);
    EXPECT_EQ(limits.connections_per_client, 8U);
    EXPECT_EQ(limits.requests_per_connection, 9U);
}

TEST(Wiring, WithGetIpANeighbourMayBeAProxyAndHasHalfOfAllConnections) {
    config::Loaded loaded;
    loaded.settings.connections = 2500;
    loaded.settings.connections_per_client = 100;
    EXPECT_EQ(http_limits(loaded).connections_per_neighbour, std::nullopt);
    const auto conf = std::make_shared<FakeConf>();
    loaded.python = conf;
    EXPECT_EQ(http_limits(loaded).connections_per_neighbour, std::nullopt);
    conf->get_ip = [](const std::string& source) { return source; };
    EXPECT_EQ(http_limits(loaded).connections_per_neighbour, 1250U);
    EXPECT_EQ(http_limits(loaded).connections_per_client, 100U) << "of others";
}

TEST(Wiring, EachLimitOfTheEngineIsItsSetting) {
    Settings settings;
    settings.timeout = 1s;
    settings.freshness = 2s;
    settings.queue = 3;
    settings.batch = 4;
    settings.updates_in_flight = 5;
    settings.queries_in_flight = 6;
    settings.changes = 7;
    settings.changes_refill = 8s;
    const update::EngineLimits limits = engine_limits(settings);
    EXPECT_EQ(limits.timeout, 1s);
    EXPECT_EQ(limits.freshness, 2s);
    EXPECT_EQ(limits.queue, 3U);
    EXPECT_EQ(limits.batch, 4U);
    EXPECT_EQ(limits.updates_in_flight, 5U);
    EXPECT_EQ(limits.queries_in_flight, 6U);
    EXPECT_EQ(limits.changes_burst, 7U);
    EXPECT_EQ(limits.changes_refill, 8s);
}

TEST(Wiring, AZoneMayHaveATimeOfItsOwn) {
    Settings settings;
    settings.timeout = 5s;
    settings.zones = {zone("a.example", {}), zone("b.a.example", {}), zone("c.example", {})};
    EXPECT_THAT(engine_limits(settings).zone_timeouts, IsEmpty());
    settings.zones[0].timeout = 20s;
    const update::EngineLimits limits = engine_limits(settings);
    EXPECT_EQ(limits.timeout_of(name("h.a.example")), 20s);
    EXPECT_EQ(limits.timeout_of(name("a.example")), 20s);
    EXPECT_EQ(limits.timeout_of(name("h.b.a.example")), 5s) << "a zone of its own within it";
    EXPECT_EQ(limits.timeout_of(name("h.c.example")), 5s);
    EXPECT_EQ(limits.timeout_of(name("h.example")), 5s);
    EXPECT_EQ(limits.shortest_timeout(), 5s);
}

TEST(Wiring, AClientsLimitsAreThoseOfEachOfItsHosts) {
    Settings settings;
    settings.changes = 7;
    settings.changes_refill = 8s;
    update::HostTable hosts;
    EXPECT_EQ(configured_hosts(settings, hosts).changes, nullptr);
    EXPECT_EQ(configured_hosts(settings, hosts).stale_after, nullptr);
    ASSERT_FALSE(settings.clients.add("a", name("a.example"), {.limits = {.changes = 3}}, 1));
    ASSERT_FALSE(settings.clients.add("b", name("b.example"), {}, 2));
    config::NamedClient client;
    client.key = base::Secret("key");
    client.hosts = {{.name = name("c.example")}, {.name = name("d.example")}};
    client.limits = {.changes = 0, .changes_refill = 9s, .stale_after = 1500ms};
    settings.named_clients.push_back(std::move(client));
    const ConfiguredHosts all = configured_hosts(settings, hosts);
    const auto number = [&hosts](const char* of) { return hosts.number(name(of)); };
    const update::ChangeRates rates{{7, 8s}, all.changes};
    EXPECT_EQ(rates.of(number("a.example")), (base::TokenRate{3, 8s}));
    EXPECT_EQ(rates.of(number("b.example")), (base::TokenRate{7, 8s}));
    EXPECT_EQ(rates.of(number("c.example")), (base::TokenRate{0, 9s}));
    EXPECT_EQ(rates.of(number("d.example")), (base::TokenRate{0, 9s}));
    ASSERT_NE(all.stale_after, nullptr);
    EXPECT_EQ(all.stale_after->size(), 2U);
    EXPECT_EQ(all.stale_after->at(number("d.example")), 2) << "whole seconds";
}

TEST(Wiring, ServersAreThoseOfAllOtherZonesFirst) {
    Settings settings;
    settings.dns.servers = {{make_address("192.0.2.1"), 53}};
    settings.dns.key_file = "/key";
    settings.zones.push_back(zone("a.example", {}));
    settings.zones[0].servers = {{make_address("192.0.2.2"), 54}};
    settings.zones[0].key_file = "/other";
    settings.zones[0].tcp = true;
    const auto servers = zone_servers(settings);
    ASSERT_EQ(servers.size(), 2U);
    EXPECT_EQ(servers[0], (update::ZoneServers{.zone = std::nullopt,
                                               .servers = {{make_address("192.0.2.1"), 53}},
                                               .key_files = {"/key"},
                                               .holds_reverse = true}))
        << "reverse zones are looked for there";
    EXPECT_EQ(servers[1], (update::ZoneServers{.zone = name("a.example"),
                                               .servers = {{make_address("192.0.2.2"), 54}},
                                               .key_files = {"/other"},
                                               .options = {.tcp_only = true}}));
}

TEST(Wiring, AClientsTtlIsItsOwnElseItsZonesElseThatOfAll) {
    Settings settings;
    settings.ttl = 10;
    settings.zones = {zone("a.example", 20), zone("b.example", {})};
    ASSERT_FALSE(settings.clients.add("own", name("h.a.example"), {.ttl = 5, .reverse = true}, 1));
    ASSERT_FALSE(settings.clients.add("zone", name("i.a.example"), {}, 2));
    ASSERT_FALSE(settings.clients.add("none", name("h.b.example"), {}, 3));
    update::HostTable hosts;
    const auto directory = make_directory(settings, hosts);
    EXPECT_EQ(directory->size(), 3U);
    EXPECT_EQ(directory->find("own")->ttl, 5U);
    EXPECT_TRUE(directory->find("own")->reverse);
    EXPECT_EQ(directory->find("zone")->ttl, 20U);
    EXPECT_FALSE(directory->find("zone")->reverse);
    EXPECT_EQ(directory->find("none")->ttl, 10U);
    EXPECT_EQ(hosts.name(directory->find("zone")->host), name("i.a.example"));
    EXPECT_EQ(directory->find("other"), nullptr);
    EXPECT_THAT(configured_hosts(settings, hosts).all,
                ElementsAre(directory->find("own")->host, directory->find("zone")->host,
                            directory->find("none")->host));
    settings.zones.clear();
    settings.dns.ttl = 30;
    EXPECT_EQ(make_directory(settings, hosts)->find("none")->ttl, 30U);
    settings.dns.ttl.reset();
    EXPECT_EQ(make_directory(settings, hosts)->find("none")->ttl, 10U);
}

TEST(Wiring, ANamedClientHasItsHostsByKeyAndByUser) {
    Settings settings;
    settings.zones = {zone("a.example", 20)};
    settings.addresses.deny = base::parse_networks("192.0.2.0/24").value();
    config::NamedClient client;
    client.name = "home";
    client.key = base::Secret("key");
    client.user = "user";
    client.password = base::Secret("pw");
    client.may_set_address = true;
    client.hosts.push_back({.name = name("h.a.example")});
    client.hosts.push_back({.name = name("i.a.example"),
                            .ttl = 7,
                            .reverse = true,
                            .ipv6_suffix = make_address("::5").to_v6(),
                            .ipv6_subnet = 3});
    settings.named_clients.push_back(std::move(client));
    config::NamedClient other;
    other.name = "other";
    other.key = base::Secret("other");
    other.hosts.push_back({.name = name("o.a.example")});
    settings.named_clients.push_back(std::move(other));
    update::HostTable hosts;
    const auto directory = make_directory(settings, hosts);
    const auto* entry = directory->find("key");
    ASSERT_NE(entry, nullptr);
    const accounts::Client& home = directory->client(entry->client);
    EXPECT_EQ(home.name, "home");
    EXPECT_TRUE(home.may_set_address);
    ASSERT_EQ(home.hosts.size(), 2U);
    EXPECT_EQ(home.hosts[0].ttl, 20U);
    EXPECT_FALSE(home.hosts[0].place);
    EXPECT_EQ(home.hosts[1].ttl, 7U);
    EXPECT_TRUE(home.hosts[1].reverse);
    ASSERT_TRUE(home.hosts[1].place);
    EXPECT_EQ(home.hosts[1].place->suffix, make_address("::5").to_v6());
    EXPECT_EQ(home.hosts[1].place->subnet, 3U);
    const auto* user = directory->user("user");
    ASSERT_NE(user, nullptr);
    EXPECT_EQ(user->client, entry->client);
    EXPECT_TRUE(directory->is_password(*user, "pw"));
    EXPECT_FALSE(directory->is_password(*user, "key"));
    EXPECT_EQ(directory->client(directory->find("other")->client).name, "other");
    EXPECT_EQ(configured_hosts(settings, hosts).all.size(), 3U);
    EXPECT_NE(directory->rules().rule(make_address("192.0.2.1"), false),
              base::AddressRules::Ruling::may_be);
}

TEST(Wiring, HooksAreAConfsThatDefinesAny) {
    const auto conf = std::make_shared<FakeConf>();
    config::Loaded loaded;
    loaded.python = conf;
    loaded.settings.uptodate = "same";
    loaded.settings.timeout = 3s;
    loaded.settings.freshness = 4s;
    loaded.settings.queue = 5;
    loaded.settings.ttl = 6;
    loaded.settings.dns.ttl.reset();
    const auto directory = std::make_shared<const accounts::AccountDirectory>();
    EXPECT_EQ(answer_settings(loaded, directory)->hooks, nullptr);
    const auto is_handler = [&] {
        const bool is = answer_settings(loaded, directory)->hooks == conf;
        conf->get_ip = nullptr;
        conf->get_host = nullptr;
        conf->commands = nullptr;
        return is;
    };
    conf->get_ip = [](const std::string& source) { return source; };
    EXPECT_TRUE(is_handler());
    conf->get_host = [](const std::string& key) { return key; };
    EXPECT_TRUE(is_handler());
    conf->commands = [](const std::string&) { return std::vector<std::string>(); };
    EXPECT_TRUE(is_handler());
    EXPECT_FALSE(is_handler());
    const auto made = answer_settings(loaded, directory);
    EXPECT_EQ(made->directory, directory);
    EXPECT_EQ(made->uptodate, "same");
    EXPECT_EQ(made->hook_time, 3s);
    EXPECT_EQ(made->freshness, 4s);
    EXPECT_EQ(made->hook_limits.queue, 5U);
    EXPECT_EQ(made->hook_ttl, 6U);
    loaded.settings.dns.ttl = 7;
    EXPECT_EQ(answer_settings(loaded, directory)->hook_ttl, 7U);
}

TEST(Wiring, EndpointsAreAsTheyAreWritten) {
    Settings settings;
    settings.http = {
        Listen{.port = 80},
        Listen{.address = make_address("192.0.2.1"), .port = 81, .proxy_protocol = true},
        Listen{.path = "/run/x", .mode = 0600, .gid = 7}};
    settings.https = {Listen{.address = make_address("2001:db8::1"), .port = 443}};
    const auto all = endpoints(settings);
    ASSERT_EQ(all.size(), 4U);
    EXPECT_TRUE(all[0].dual_stack) << "every address of both families";
    EXPECT_EQ(all[0].port, 80);
    EXPECT_FALSE(all[1].dual_stack);
    EXPECT_TRUE(all[1].proxy_protocol);
    EXPECT_FALSE(all[0].proxy_protocol);
    EXPECT_FALSE(all[2].dual_stack);
    EXPECT_EQ(all[2].mode, 0600U);
    EXPECT_EQ(all[2].gid, 7U);
    EXPECT_FALSE(all[2].tls);
    EXPECT_TRUE(all[3].tls);
    std::vector<std::string> urls;
    for (const auto& endpoint : all) urls.push_back(url_of(endpoint));
    EXPECT_THAT(std::vector<std::string>(urls.begin() + 1, urls.end()),
                ElementsAre("http://192.0.2.1:81", "unix:/run/x", "https://[2001:db8::1]:443"));
    const auto listening = listening_endpoints(settings);
    ASSERT_EQ(listening.size(), 4U) << "systemd has passed none";
    EXPECT_EQ(listening[0].dual_stack, listening[0].address.is_v6())
        << "IPv4's alone where there is no IPv6";
}

TEST(Wiring, ThePassedSocketsNameSaysWhatItIsFor) {
    const auto found = endpoints_of({{3, "http"},
                                     {4, "https"},
                                     {5, ""},
                                     {6, "http-proxy"},
                                     {7, "https-proxy"},
                                     {8, "unknown"},
                                     {9, "sftdyn.socket"}});
    ASSERT_TRUE(found.has_value());
    const auto& all = *found;
    ASSERT_EQ(all.size(), 7U);
    const std::vector<std::pair<bool, bool>> expected{{false, false}, {true, false}, {false, false},
                                                      {false, true},  {true, true},  {false, false},
                                                      {false, false}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].inherited, static_cast<int>(i) + 3);
        EXPECT_EQ(all[i].tls, expected[i].first) << i;
        EXPECT_EQ(all[i].proxy_protocol, expected[i].second) << i;
    }
}

TEST(Wiring, ConnectionsLeaveDescriptorsForTheRest) {
    EXPECT_EQ(connections_within(65536, 2, 2), 65536U - 128 - 10);
    EXPECT_EQ(connections_within(1024, 4, 1), 1024U - 128 - 16);
    EXPECT_EQ(connections_within(100, 1, 1), 50U) << "of few, half";
    EXPECT_EQ(connections_within(1, 1, 1), 1U);
    EXPECT_EQ(connections_within(0, 1, 1), 1U);
}

TEST(Wiring, APassedSocketOfAnotherNameIsAnError) {
    for (const char* name : {"HTTPS", "tls", "htttp", "-proxy", "https-", "proxy", "connection"}) {
        const auto found = endpoints_of({{3, "http"}, {4, name}});
        ASSERT_TRUE(found.has_error()) << name;
        EXPECT_THAT(found.error().what, testing::HasSubstr(name));
        EXPECT_THAT(found.error().remedy, testing::HasSubstr("http, https, http-proxy"));
    }
}

TEST(Wiring, TheProxysHeaderIsTheSettings) {
    Settings settings;
    settings.trusted_proxies = base::parse_networks("10.0.0.0/8").value();
    using Written = Settings::ProxyHeaderSetting;
    for (const auto& [written, header] :
         {std::pair(Written::x_forwarded_for, http::ProxyHeader::x_forwarded_for),
          std::pair(Written::forwarded, http::ProxyHeader::forwarded),
          std::pair(Written::x_real_ip, http::ProxyHeader::x_real_ip)}) {
        settings.proxy_header = written;
        EXPECT_EQ(proxies(settings).header, header);
        EXPECT_EQ(proxies(settings).trusted.size(), 1U);
        EXPECT_EQ(proxies(settings).field, "");
    }
    settings.proxy_field = "cf-connecting-ip";
    EXPECT_EQ(proxies(settings).field, "cf-connecting-ip");
}

TEST(Wiring, TheEventCommandIsTheSettings) {
    Settings settings;
    settings.admin.event_command = {"/bin/true", "x"};
    settings.admin.event_commands_at_once = 3;
    settings.admin.event_command_time = 4s;
    settings.user = "somebody";
    settings.landlock = false;
    const auto made = event_command_settings(settings);
    EXPECT_THAT(made.command, ElementsAre("/bin/true", "x"));
    EXPECT_EQ(made.at_once, 3U);
    EXPECT_EQ(made.time_limit, 4s);
    EXPECT_EQ(made.user, "somebody");
    EXPECT_FALSE(made.landlock);
    EXPECT_TRUE(made.seccomp);
}

TEST(Wiring, TheSandboxKeepsWhatIsStillNeeded) {
    config::Loaded loaded;
    Settings& settings = loaded.settings;
    settings.dns.key_file = "/dns.key";
    settings.zones.push_back(zone("a.example", {}));
    settings.zones[0].key_file = "/zone.key";
    settings.cert = "/cert";
    settings.key = "/key";
    settings.certificates = {{"/cert2", "/key2"}};
    settings.user = "somebody";
    settings.admin.control = "/control";
    settings.admin.state = "/state";
    loaded.conf = "/conf";
    http::Endpoint local, other;
    local.path = "/socket";
    const auto sandbox = sandbox_settings(loaded, {other, local});
    EXPECT_THAT(sandbox.files,
                ElementsAre("/dns.key", "/zone.key", "/cert", "/key", "/cert2", "/key2", "/conf"));
    EXPECT_THAT(sandbox.sockets, ElementsAre("/socket", "/control"));
    EXPECT_THAT(sandbox.writable, ElementsAre("/state"));
    EXPECT_EQ(sandbox.user, "somebody");
    EXPECT_TRUE(sandbox.seccomp);
    EXPECT_TRUE(sandbox.landlock);
    loaded.python = std::make_shared<FakeConf>();
    EXPECT_FALSE(sandbox_settings(loaded, {}).seccomp)
        << "a conf may do whatever it is written for";
    EXPECT_FALSE(sandbox_settings(loaded, {}).landlock);
    EXPECT_THAT(sandbox_settings({}, {}).writable, IsEmpty());
}

TEST(Wiring, AHashThatIsNoneIsAComplaint) {
    const TemporaryFolder folder;
    folder.write("x.toml",
                 "[clients.home]\nuser = \"u\"\nhosts = [\"h.example.org\"]\n"
                 "password_hash = \"$argon2id$nonsense\"\n");
    const auto loaded = load({.conf = folder / "x.toml"});
    ASSERT_EQ(loaded.diagnostics.size(), 1U);
    EXPECT_EQ(loaded.diagnostics[0].where, (folder / "x.toml") + ":1");
    EXPECT_EQ(loaded.diagnostics[0].text().find("nonsense"), std::string::npos);
    folder.write("x.toml",
                 "[clients.home]\nuser = \"u\"\nhosts = [\"h.example.org\"]\npassword = \"pw\"\n");
    EXPECT_THAT(load({.conf = folder / "x.toml"}).diagnostics, IsEmpty());
}

}  // namespace
}  // namespace sftdyn::server
