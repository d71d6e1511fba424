// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/python_conf.hpp"

#include <gmock/gmock.h>

namespace sftdyn::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What a conf would set.
class FakeConf : public python::Conf {
public:
    base::Result<std::shared_ptr<const python::Conf>> run_anew() const override {
        return base::Error{"none"};
    }
    base::Result<std::vector<python::ConfSetting>> settings(
        const std::vector<std::string>& names) const override {
        if (fault) return *fault;
        std::vector<python::ConfSetting> out;
        for (const auto& setting : set) {
            if (std::find(names.begin(), names.end(), setting.name) != names.end())
                out.push_back(setting);
        }
        return out;
    }
    base::Result<std::optional<std::vector<python::ConfClient>>> clients(
        const std::string&) const override {
        if (fault) return *fault;
        return table;
    }
    base::Result<std::vector<std::string>> tables() const override {
        return std::vector<std::string>();
    }
    bool reads_headers() const override { return false; }
    bool get_ip_reads_key() const override { return false; }
    bool has_get_ip() const override { return false; }
    bool has_get_host() const override { return get_host; }
    bool has_nsupdate_commands() const override { return commands; }
    std::unique_ptr<python::Call> call(std::string_view, const python::Fields&,
                                       std::string_view) const override {
        return nullptr;
    }

    std::vector<python::ConfSetting> set{};
    std::optional<std::vector<python::ConfClient>> table = std::vector<python::ConfClient>();
    bool get_host = false, commands = false;
    std::optional<base::Error> fault{};  ///< that its code raises when it is read
};

python::Value text(std::string value) { return {std::move(value), "str"}; }
python::Value number(std::int64_t value) { return {value, "int"}; }
python::Value flag(bool value) { return {value, "bool"}; }
python::ConfClient client(const char* key, python::Value host) {
    return {base::Secret(key), std::move(host)};
}

class PythonConfTest : public testing::Test {
protected:
    std::vector<std::string> read() {
        std::vector<std::string> out;
        for (const auto& diagnostic : read_python_conf(conf, "/etc/sftdyn/conf", settings))
            out.push_back(diagnostic.text());
        return out;
    }

    FakeConf conf;
    Settings settings;
};

TEST_F(PythonConfTest, WhatTheConfsCodeRaisesIsADiagnostic) {
    conf.fault = base::Error{"ValueError: broken", "/etc/sftdyn/conf:3"};
    EXPECT_THAT(read(), ElementsAre("/etc/sftdyn/conf:3: ValueError: broken",
                                    "/etc/sftdyn/conf:3: ValueError: broken"));
    EXPECT_EQ(settings.client_count(), 0U);
}

TEST_F(PythonConfTest, WhatStandsInTheWrongPlaceIsNotQuoted) {
    for (const char* name : {"http", "https", "verbose", "quiet", "debug"}) {
        for (const char* secret : {"SECRET-key", "127.0.0.1:SECRET", "unix:SECRET"}) {
            conf.set = {{name, {text(secret)}, 1}};
            const auto diagnostics = read();
            EXPECT_THAT(diagnostics, testing::SizeIs(1)) << name << " = " << secret;
            for (const auto& diagnostic : diagnostics)
                EXPECT_THAT(diagnostic, testing::Not(HasSubstr("SECRET")));
        }
    }
    conf.table.emplace();
    for (const char* host : {"SECRET_key-", "", "SECRET key"})
        conf.table->push_back(client("/SECRET", text(host)));
    for (const auto& diagnostic : read())
        EXPECT_THAT(diagnostic, testing::Not(HasSubstr("SECRET")));
}

TEST_F(PythonConfTest, Settings) {
    conf.set = {{"http", {number(8080), text("[::1]:80"), flag(false), text("")}, 1},
                {"https", {text("127.0.0.1:4443")}, 2},
                {"key", {text("a.key")}, 3},
                {"cert", {text("/b/c.crt")}, 4},
                {"nskeyfile", {text("ns.key")}, 5},
                {"verbose", {number(2)}, 6},
                {"quiet", {flag(true)}, 7},
                {"debug", {flag(true)}, 8},
                {"hook_threads", {number(4)}, 9},
                {"other", {{}}, 9}};
    EXPECT_THAT(read(), IsEmpty());
    ASSERT_EQ(settings.http.size(), 2U);
    EXPECT_EQ(settings.http[0].port, 8080);
    EXPECT_EQ(settings.http[1].address->to_string(), "::1");
    EXPECT_EQ(settings.https.at(0).port, 4443);
    EXPECT_EQ(settings.key, "/etc/sftdyn/a.key");
    EXPECT_EQ(settings.cert, "/b/c.crt");
    EXPECT_EQ(settings.dns.key_file, "/etc/sftdyn/ns.key");
    EXPECT_EQ(settings.verbosity, 1);
    EXPECT_TRUE(settings.debug);
    EXPECT_EQ(settings.hook_threads, 4U);
}

TEST_F(PythonConfTest, ComplaintsNameTheLine) {
    conf.set = {{"http", {number(99999)}, 3},
                {"key", {number(1)}, 0},
                {"debug", {text("x")}, 5},
                {"hook_threads", {number(0)}, 7},
                {"quiet", {}, 6}};
    EXPECT_THAT(read(),
                ElementsAre(HasSubstr("/etc/sftdyn/conf:3: http = 99999: "),
                            HasSubstr("/etc/sftdyn/conf: key is int; expected"),
                            HasSubstr("conf:5: debug is str; expected"),
                            HasSubstr("conf:7: hook_threads is not a valid number of threads; "),
                            HasSubstr("conf:6: quiet is an empty list; expected")));
}

TEST_F(PythonConfTest, Clients) {
    conf.table = {client("one", text("a.example.org")), client("two", text("a.example.org")),
                  client("three", text("b.example.org"))};
    EXPECT_THAT(read(), IsEmpty());
    EXPECT_EQ(settings.clients.size(), 2U);
    ASSERT_EQ(settings.named_clients.size(), 1U) << "a second key of a host";
    EXPECT_EQ(settings.named_clients[0].key->reveal(), "two");
    EXPECT_EQ(settings.client_count(), 3U);
}

TEST_F(PythonConfTest, ClientsThatAreNone) {
    conf.table = {client("", text("a.example")), client("/a", text("a.example")),
                  client("topsecret", number(7)), client("topsecret", text("a..b"))};
    const auto diagnostics = read();
    EXPECT_THAT(diagnostics,
                ElementsAre(HasSubstr("key of entry 1"), HasSubstr("begins with a slash"),
                            HasSubstr("host of entry 3 of CLIENTS is int"),
                            HasSubstr("entry 4 of CLIENTS: ")));
    for (const auto& diagnostic : diagnostics)
        EXPECT_THAT(diagnostic, testing::Not(HasSubstr("topsecret")));
    conf.get_host = true;
    EXPECT_THAT(read(), IsEmpty()) << "get_host knows what to make of them";
}

TEST_F(PythonConfTest, WhatIsMissing) {
    conf.table.reset();
    EXPECT_THAT(read(), ElementsAre(HasSubstr("get_host"), HasSubstr("nsupdatecommands")));
    conf.get_host = true;
    EXPECT_THAT(read(), ElementsAre(HasSubstr("nsupdatecommands")));
    conf.commands = true;
    EXPECT_THAT(read(), IsEmpty());
}

}  // namespace
}  // namespace sftdyn::config
