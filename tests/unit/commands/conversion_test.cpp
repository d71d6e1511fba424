// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/conversion.hpp"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>

#include "config/toml_reader.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using Lines = std::vector<std::string>;

/// A conf whose hooks are functions here.
class HookedConf : public python::Conf {
public:
    base::Result<std::vector<python::ConfSetting>> settings(
        const std::vector<std::string>& names) const override {
        std::vector<python::ConfSetting> out;
        for (const auto& name : names) {
            if (std::find(options.begin(), options.end(), name) != options.end())
                out.push_back({name, {}, 1});
        }
        return out;
    }
    base::Result<std::optional<std::vector<python::ConfClient>>> clients(
        const std::string& name) const override {
        if (!dicts.contains(name)) return std::optional<std::vector<python::ConfClient>>();
        std::vector<python::ConfClient> out;
        for (const auto& [key, host] : dicts.at(name))
            out.push_back({base::Secret(key), {host, "str"}});
        return std::optional(std::move(out));
    }
    base::Result<std::vector<std::string>> tables() const override {
        if (is_unreadable) return base::Error{"ValueError: broken"};
        std::vector<std::string> out;
        // An empty dict maps nothing to text.
        for (const auto& [name, rows] : dicts) {
            if (!rows.empty()) out.push_back(name);
        }
        return out;
    }
    bool has_get_ip() const override { return bool(get_ip); }
    bool has_get_host() const override { return bool(get_host); }
    bool has_nsupdate_commands() const override { return bool(commands); }
    bool reads_headers() const override { return bool(get_ip); }
    bool get_ip_reads_key() const override { return false; }
    std::unique_ptr<python::Call> call(std::string_view source, const python::Fields& fields,
                                       std::string_view) const override {
        return std::make_unique<HookedCall>(*this, std::string(source), fields);
    }

    base::Result<std::vector<python::HookForm>> forms() const override { return code; }
    base::Result<std::shared_ptr<const python::Conf>> run_anew() const override {
        return base::Error{"none"};
    }

    std::vector<python::HookForm> code{
        {"get_ip", "source"}, {"get_host", "lookup"}, {"nsupdatecommands", "script"}};
    bool is_unreadable = false;  ///< its code raises when its dicts are looked for
    std::vector<std::string> options{};
    std::map<std::string, std::vector<std::pair<std::string, std::string>>> dicts{{"CLIENTS", {}}};
    std::function<std::string(const std::string& source, const python::Fields&)> get_ip{};
    std::function<std::string(const std::string& key)> get_host{};
    std::function<Lines(const std::string& host, const std::string& address)> commands{};

private:
    class HookedCall : public python::Call {
    public:
        HookedCall(const HookedConf& conf, std::string source, python::Fields fields)
            : conf_(conf), source_(std::move(source)), fields_(std::move(fields)) {}
        python::HookResult<python::Given> get_ip() override {
            return python::Given{conf_.get_ip ? conf_.get_ip(source_, fields_) : source_};
        }
        python::HookResult<python::Given> get_host(std::string_view key) override {
            const std::string host = conf_.get_host(std::string(key));
            return python::Given{.text = host, .is_true = !host.empty()};
        }
        python::HookResult<std::uint64_t> pair_number() override { return 1; }
        void forget_pair() override {}
        python::HookResult<Lines> nsupdate_commands(std::string_view host) override {
            return conf_.commands(std::string(host), source_);
        }
        std::string shown(std::string_view) override { return {}; }

    private:
        const HookedConf& conf_;
        const std::string source_;
        const python::Fields fields_;
    };
};

class ConversionTest : public testing::Test {
protected:
    /// The settings of the TOML that is made; it must be one.
    config::Settings converted() {
        loaded.python = conf;
        loaded.conf = "/etc/sftdyn/conf";
        made = convert(loaded);
        config::Settings settings;
        for (const auto& diagnostic : config::read_toml(made.toml, "/c.toml", settings))
            ADD_FAILURE() << diagnostic.text() << made.toml;
        return settings;
    }
    static std::vector<std::string> clients_of(const config::Settings& settings) {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < settings.clients.size(); ++i) {
            const auto client = settings.clients[i];
            out.push_back(
                std::string(client.key) + ' ' +
                dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data()))
                    .text() +
                (client.ttl ? ' ' + std::to_string(*client.ttl) : ""));
        }
        return out;
    }
    /// As the original's own conf does it.
    static Lines replaces(const std::string& host, const std::string& address, int ttl) {
        const std::string type = address.find(':') == std::string::npos ? " A" : " AAAA";
        return {"update delete " + host + type,
                "update add " + host + ' ' + std::to_string(ttl) + type + ' ' + address};
    }

    const std::shared_ptr<HookedConf> conf = std::make_shared<HookedConf>();
    config::Loaded loaded{};
    Conversion made{};
};

TEST_F(ConversionTest, ListenersAndFilesAreThoseThatWereLoaded) {
    auto& settings = loaded.settings;
    settings.http = {*config::parse_listen("8080"), *config::parse_listen("[::1]:81"),
                     *config::parse_listen("127.0.0.1:82"), *config::parse_listen("unix:/run/s")};
    settings.https = {*config::parse_listen("4443")};
    settings.cert = "/etc/sftdyn/../c\"d.crt";
    settings.key = "/etc/k\\l.key";
    settings.dns.key_file = "/etc/ns.key";
    const auto read = converted();
    EXPECT_EQ(read.http, settings.http);
    EXPECT_EQ(read.https, settings.https);
    EXPECT_EQ(read.cert, "/etc/c\"d.crt");
    EXPECT_EQ(read.key, settings.key);
    EXPECT_EQ(read.dns.key_file, settings.dns.key_file);
    EXPECT_THAT(made.lost, IsEmpty());
    EXPECT_THAT(made.toml, StartsWith("# Made by `sftdyn convert` of /etc/sftdyn/conf.\n"));
}

TEST_F(ConversionTest, ClientsAreThoseOfTheDict) {
    conf->dicts["CLIENTS"] = {{"k1", "a.example.org"}, {"k\"\\\n\x7f", "B.example.org"}};
    EXPECT_THAT(clients_of(converted()),
                testing::UnorderedElementsAre("k1 a.example.org", "k\"\\\n\x7f b.example.org"));
    EXPECT_THAT(made.lost, IsEmpty());
}

TEST_F(ConversionTest, AHostWithASecondKeyAndOneThatIsNoneAreLostAndTold) {
    conf->dicts["CLIENTS"] = {{"k1", "a.example.org"},
                              {"k2", "A.example.org"},
                              {"secret", "a..b"},
                              {"k4", "c.example.org"}};
    EXPECT_THAT(clients_of(converted()),
                testing::UnorderedElementsAre("k1 a.example.org", "k4 c.example.org"));
    EXPECT_THAT(made.lost,
                ElementsAre("a.example.org has several keys: a host has one key in TOML",
                            "the host of entry 3 of CLIENTS is not a valid domain name"));
    EXPECT_THAT(made.toml, HasSubstr("# Not carried over: a.example.org has several keys"));
    EXPECT_THAT(made.toml, Not(HasSubstr("secret")));
}

TEST_F(ConversionTest, CodeThatHasNoFormInTomlIsTold) {
    conf->dicts["CLIENTS"] = {{"k1", "a.example.org"}};
    conf->get_host = [](const std::string& key) { return key == "k1" ? "a.example.org" : ""; };
    conf->get_ip = [](const std::string& source, const python::Fields&) { return source; };
    conf->code = {{"get_ip"}, {"get_host"}, {"goes on"}};
    static_cast<void>(converted());
    EXPECT_THAT(made.lost, ElementsAre(HasSubstr("goes on beside its hooks"),
                                       HasSubstr("get_host has code of its own"),
                                       HasSubstr("get_ip has code of its own")));
    conf->code = {{"get_ip", "proxies", "X-Real-IP", "127.0.0.1", "::1"}, {"get_host", "lookup"}};
    const auto settings = converted();
    EXPECT_THAT(made.lost, IsEmpty());
    EXPECT_EQ(settings.trusted_proxies.size(), 2U);
    EXPECT_EQ(settings.proxy_header, config::Settings::ProxyHeaderSetting::x_real_ip);
}

TEST_F(ConversionTest, AGetHostThatLooksUpIsFound) {
    conf->dicts = {{"CLIENTS", {}},
                   {"MINE", {{"k1", "a.example.org"}, {"k2", "b.example.org"}}},
                   {"OTHER", {{"x", "y.example.org"}}}};
    conf->get_host = [this](const std::string& key) -> std::string {
        for (const auto& [ours, host] : conf->dicts.at("MINE")) {
            if (ours == key) return host;
        }
        return "";
    };
    EXPECT_THAT(clients_of(converted()),
                testing::UnorderedElementsAre("k1 a.example.org", "k2 b.example.org"));
    EXPECT_THAT(made.lost, IsEmpty());
    EXPECT_THAT(made.toml,
                HasSubstr("# get_host was tried with every key: it looks them up in MINE."));
}

TEST_F(ConversionTest, AGetHostThatDoesMoreIsLost) {
    conf->dicts["CLIENTS"] = {{"k1", "a.example.org"}};
    const auto lost = testing::ElementsAre(HasSubstr("get_host is not a look-up in a dict"));
    conf->get_host = [](const std::string& key) { return key == "k1" ? "other.example.org" : ""; };
    EXPECT_THAT(clients_of(converted()), IsEmpty());
    EXPECT_THAT(made.lost, lost);
    // It knows keys that stand nowhere.
    conf->get_host = [](const std::string& key) {
        return key == "k1" ? std::string("a.example.org") : key + ".example.org";
    };
    EXPECT_THAT(clients_of(converted()), IsEmpty());
    EXPECT_THAT(made.lost, lost);
}

TEST_F(ConversionTest, WhatCantBeReadIsLost) {
    conf->get_host = [](const std::string&) { return ""; };
    conf->dicts = {{"OTHER", {{"x", "y.example.org"}}}};
    conf->is_unreadable = true;
    EXPECT_THAT(clients_of(converted()), IsEmpty());
    EXPECT_THAT(
        made.lost,
        testing::Contains(HasSubstr("the dicts of the conf can't be read: ValueError: broken")));
}

TEST_F(ConversionTest, NoClientsYetAreNoLoss) {
    conf->get_host = [](const std::string&) { return ""; };
    conf->dicts = {{"CLIENTS", {}}, {"OTHER", {{"x", "y.example.org"}}}};
    EXPECT_THAT(clients_of(converted()), IsEmpty());
    EXPECT_THAT(made.lost, IsEmpty());
    EXPECT_THAT(made.toml, HasSubstr("there are no clients yet"));
}

TEST_F(ConversionTest, AGetIpThatBelievesAHeaderIsAProxysWord) {
    for (const char* header : {"X-Forwarded-For", "X-Real-IP"}) {
        conf->get_ip = [header](const std::string& source, const python::Fields& fields) {
            for (const auto& [name, value] : fields.list()) {
                if (name == header) return value;
            }
            return source;
        };
        const auto settings = converted();
        EXPECT_EQ(settings.proxy_header == config::Settings::ProxyHeaderSetting::x_real_ip,
                  std::string_view(header) == "X-Real-IP");
        EXPECT_TRUE(settings.trusted_proxies.empty());
        EXPECT_THAT(made.lost, ElementsAre(HasSubstr(std::string("get_ip believes ") + header +
                                                     " of everybody: name your proxies")));
    }
}

TEST_F(ConversionTest, AGetIpThatDoesNothingIsNoLossAndAnotherIs) {
    conf->get_ip = [](const std::string& source, const python::Fields&) { return source; };
    converted();
    EXPECT_THAT(made.lost, IsEmpty());
    conf->get_ip = [](const std::string&, const python::Fields&) { return "192.0.2.77"; };
    converted();
    EXPECT_THAT(made.lost, ElementsAre("get_ip does something of its own with the address"));
}

TEST_F(ConversionTest, TheUsualTtlIsForAllAndOthersAreTheirClients) {
    conf->dicts["CLIENTS"] = {
        {"k1", "a.example.org"}, {"k2", "b.example.org"}, {"k3", "c.example.org"}};
    conf->commands = [](const std::string& host, const std::string& address) {
        return replaces(host, address, host == "b.example.org" ? 77 : 60);
    };
    const auto settings = converted();
    EXPECT_EQ(settings.dns.ttl, 60U);
    EXPECT_THAT(clients_of(settings),
                testing::UnorderedElementsAre("k1 a.example.org", "k2 b.example.org 77",
                                              "k3 c.example.org"));
    EXPECT_THAT(made.lost, IsEmpty());
    EXPECT_THAT(made.toml, HasSubstr("nsupdatecommands was tried with 3 hosts"));
}

TEST_F(ConversionTest, CommandsThatDoMoreThanReplaceTheAddressAreLost) {
    conf->dicts["CLIENTS"] = {{"k1", "a.example.org"}};
    const auto is_lost = [this] {
        converted();
        return made.lost ==
               std::vector<std::string>{
                   "nsupdatecommands does more for a.example.org than to replace its address"};
    };
    conf->commands = [](const std::string& host, const std::string& address) {
        auto lines = replaces(host, address, 60);
        lines.push_back("update add " + host + " 60 TXT x");
        return lines;
    };
    EXPECT_TRUE(is_lost()) << "another record";
    conf->commands = [](const std::string& host, const std::string&) {
        return replaces(host, "192.0.2.99", 60);
    };
    EXPECT_TRUE(is_lost()) << "another address";
    conf->commands = [](const std::string&, const std::string& address) {
        return replaces("other.example.org", address, 60);
    };
    EXPECT_TRUE(is_lost()) << "another host";
    conf->commands = [](const std::string& host, const std::string& address) {
        return replaces(host, address, address.find(':') == std::string::npos ? 60 : 61);
    };
    EXPECT_TRUE(is_lost()) << "a TTL for each family";
    conf->commands = [](const std::string&, const std::string&) { return Lines{"nonsense"}; };
    EXPECT_TRUE(is_lost()) << "no command";
}

TEST_F(ConversionTest, WithoutClientsCommandsAreTriedWithOneThatIsMadeUp) {
    conf->commands = [](const std::string& host, const std::string& address) {
        return replaces(host, address, 45);
    };
    EXPECT_EQ(converted().dns.ttl, 45U);
    EXPECT_THAT(made.toml, HasSubstr("was tried with a host that was made up"));
    EXPECT_THAT(made.toml, testing::EndsWith("\n[clients]\n"));
}

TEST_F(ConversionTest, OptionsOfTheCommandLineAreNamed) {
    conf->options = {"verbose", "debug"};
    converted();
    EXPECT_THAT(made.toml,
                HasSubstr("# verbose is an option of the command line here: -v, -q or -d."));
    EXPECT_THAT(made.toml, HasSubstr("# debug is an option"));
    EXPECT_THAT(made.toml, Not(HasSubstr("# quiet")));
    EXPECT_THAT(made.lost, IsEmpty());
}

}  // namespace
}  // namespace sftdyn::commands
