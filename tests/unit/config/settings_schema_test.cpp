// SPDX-License-Identifier: GPL-3.0-or-later
// Walks the schema: every setting is read where the schema says, takes what it says, and nothing
// beyond.
#include "config/settings_schema.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/toml_reader.hpp"

using namespace sftdyn;
using namespace sftdyn::config;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

/// A configuration that says `name = value` where the setting stands, on a line of its own or in
/// an inline table.
std::string conf_with(const Setting& row, const std::string& value) {
    const auto besides = [&](std::string_view name, const char* text) {
        return row.name == name ? std::string() : fmt::format("{} = {}\n", name, text);
    };
    const std::string line = fmt::format("{} = {}\n", row.name, value);
    const std::string inner = fmt::format("{} = {}", row.name, value);
    switch (row.section) {
        case Section::top:
            return line;
        case Section::listener:
            return row.name == "listen" ? fmt::format("http = {{ {} }}\n", inner)
                   : row.name == "proxy_protocol"
                       ? fmt::format("http = {{ listen = \"8080\", {} }}\n", inner)
                       : fmt::format("http = {{ listen = \"unix:/run/x\", {} }}\n", inner);
        case Section::certificate:
            return "[[certificate]]\n" + besides("cert", "\"c\"") + besides("key", "\"k\"") + line;
        case Section::dns:
            if (row.name == "queries") return "[dns]\nzone = \"example.org\"\n" + line;
            return "[dns]\n" + line;
        case Section::zone:
            return "[[zone]]\n" + besides("name", "\"example.org\"") + line;
        case Section::client:
            return row.name == "host"
                       ? fmt::format("[clients]\n\"k\" = {{ {} }}\n", inner)
                       : fmt::format("[clients]\n\"k\" = {{ host = \"h.example.org\", {} }}\n",
                                     inner);
        case Section::named_client: {
            const bool of_host = row.name == "ttl" || row.name == "ptr" ||
                                 row.name.starts_with("ipv6_") || row.name == "host";
            std::string out = "[clients.c]\n" + besides("key", "\"k\"");
            if (row.name == "password" || row.name == "password_hash") out += "user = \"u\"\n";
            if (row.name == "user") out += "password = \"p\"\n";
            if (row.name == "ipv6_subnet") out += "ipv6_suffix = \"::1\"\n";
            out += of_host ? besides("host", "\"h.example.org\"")
                           : besides("hosts", "[\"h.example.org\"]");
            return out + line;
        }
        case Section::host: {
            std::string host = besides("host", "\"h.example.org\"");
            if (row.name == "ipv6_subnet") host += "ipv6_suffix = \"::1\"\n";
            std::replace(host.begin(), host.end(), '\n', ',');
            return fmt::format("[clients.c]\nkey = \"k\"\nhosts = [{{ {}{} }}]\n", host, inner);
        }
        default:
            return fmt::format("{}\n{}", label_of(row.section), line);
    }
}

std::string complaints_of(const std::string& text, Settings& settings) {
    std::string said;
    for (const auto& diagnostic : read_toml(text, "/c.toml", settings))
        said += diagnostic.text() + '\n';
    return said;
}
std::string complaints_of(const std::string& text) {
    Settings ignored;
    return complaints_of(text, ignored);
}

/// A number of the schema as the file has it.
std::string as_toml(const Setting& row, std::int64_t value) {
    if (row.kind != SettingKind::seconds) return std::to_string(value);
    return fmt::format("{}", static_cast<double>(value) / 1000);
}

std::string row_name(const testing::TestParamInfo<Setting>& row) {
    std::string out = fmt::format("{}_{}", static_cast<int>(row.param.section), row.param.name);
    return out;
}

std::vector<Setting> those(bool (*wanted)(const Setting&)) {
    std::vector<Setting> out;
    std::copy_if(all_settings().begin(), all_settings().end(), std::back_inserter(out), wanted);
    return out;
}

// --- all of them ---

/// A good value of each that is no number and no flag, which differs from the default.
const std::map<std::string_view, const char*> good_values{
    {"http", "\"127.0.0.1:81\""},
    {"https", "[443, \"[::1]:444\"]"},
    {"cert", "\"/c\""},
    {"key", "\"k\""},
    {"tls_min_version", "\"1.3\""},
    {"trusted_proxies", "[\"192.0.2.0/24\"]"},
    {"proxy_header", "\"Forwarded\""},
    {"log", "\"debug\""},
    {"log_format", "\"json\""},
    {"uptodate", "\"OK\""},
    {"nskeyfile", "\"credential:key\""},
    {"include", "\"/usr\""},
    {"listen", "\"unix:/run/x\""},
    {"mode", "\"0600\""},
    {"group", "\"root\""},
    {"allow", "[\"private\"]"},
    {"deny", "\"10.0.0.0/8\""},
    {"server", "\"192.0.2.1\""},
    {"servers", "[\"192.0.2.1\", \"[::1]:53\"]"},
    {"zone", "\"example.org\""},
    {"name", "\"example.org\""},
    {"on_removal", "\"remove\""},
    {"user", "\"root\""},
    {"metrics", "\"9153\""},
    {"control", "\"/run/c\""},
    {"state", "\"/var/s\""},
    {"event_command", "[\"/bin/true\"]"},
    {"events", "[\"failure\"]"},
    {"host", "\"a.example.org\""},
    {"hosts", "[\"a.example.org\", { host = \"b.example.org\" }]"},
    {"password", "\"p\""},
    {"password_hash", "\"$argon2id$\""},
    {"ipv6_suffix", "\"::1\""},
};

std::string good_value(const Setting& row) {
    if (row.kind == SettingKind::flag) return row.fallback != 0 ? "false" : "true";
    if (row.kind == SettingKind::integer || row.kind == SettingKind::seconds)
        return as_toml(row, row.fallback == row.most ? row.least : row.most);
    const auto found = good_values.find(row.name);
    return found == good_values.end() ? "no good value is known to the test" : found->second;
}

class EverySetting : public testing::TestWithParam<Setting> {};

TEST_P(EverySetting, IsTakenWhereItStands) {
    EXPECT_THAT(complaints_of(conf_with(GetParam(), good_value(GetParam()))), IsEmpty());
}

TEST_P(EverySetting, OfAWrongTypeIsRefusedInItsPlace) {
    const std::string text = conf_with(GetParam(), "1979-05-27");
    const auto line = std::count(text.begin(), text.end(), '\n');
    EXPECT_THAT(complaints_of(text), HasSubstr(fmt::format("/c.toml:{}:", line))) << text;
    EXPECT_THAT(complaints_of(text), Not(HasSubstr("unknown setting"))) << text;
}

TEST_P(EverySetting, IsNamedAtAReloadIfAndOnlyIfItTakesARestart) {
    const Setting& row = GetParam();
    Settings now;
    ASSERT_THAT(complaints_of(conf_with(row, good_value(row)), now), IsEmpty());
    // A listener's settings are those of what listens.
    const std::string name = row.section == Section::listener ? "http" : full_name(row);
    const bool changed = row.name != "listen" || !now.http.empty();
    ASSERT_TRUE(changed);
    EXPECT_EQ(restart_notice(Settings(), now),
              row.effect == Effect::restart
                  ? name + " has changed: that takes effect only with a restart"
                  : "");
}

INSTANTIATE_TEST_SUITE_P(Schema, EverySetting, testing::ValuesIn(those([](const Setting& row) {
                             return row.kind != SettingKind::table &&
                                    row.kind != SettingKind::tables;
                         })),
                         row_name);

// --- those that `Settings` keeps as they are ---

class PlainSetting : public testing::TestWithParam<Setting> {};

TEST_P(PlainSetting, HasItsDefault) {
    const Setting& row = GetParam();
    Settings expected;
    row.set(expected, row.fallback);
    EXPECT_TRUE(row.is_same(Settings(), expected));
}

TEST_P(PlainSetting, TakesItsOwnDefaultAsAValue) {
    const Setting& row = GetParam();
    const std::string value =
        row.kind == SettingKind::flag ? (row.fallback != 0 ? "true" : "false")
        : row.kind == SettingKind::choice
            ? fmt::format("\"{}\"", row.words[static_cast<std::size_t>(row.fallback)])
            : as_toml(row, row.fallback);
    Settings now;
    EXPECT_THAT(complaints_of(conf_with(row, value), now), IsEmpty());
    EXPECT_TRUE(row.is_same(Settings(), now));
}

INSTANTIATE_TEST_SUITE_P(Schema, PlainSetting, testing::ValuesIn(those([](const Setting& row) {
                             return row.set != nullptr;
                         })),
                         row_name);

class Number : public testing::TestWithParam<Setting> {};

TEST_P(Number, TakesItsLeastAndItsMost) {
    const Setting& row = GetParam();
    for (const std::int64_t value : {row.least, row.most}) {
        Settings now;
        EXPECT_THAT(complaints_of(conf_with(row, as_toml(row, value)), now), IsEmpty()) << value;
        if (row.set == nullptr) continue;
        Settings expected;
        row.set(expected, value);
        EXPECT_TRUE(row.is_same(now, expected)) << value;
    }
}

TEST_P(Number, RefusesWhatIsBelowOrBeyondWithTheRange) {
    const Setting& row = GetParam();
    std::vector<std::string> values{as_toml(row, row.least - 1), "-1e300", "nan"};
    if (row.most != std::numeric_limits<std::int64_t>::max())
        values.push_back(as_toml(row, row.most + 1));
    if (row.kind == SettingKind::seconds) values.insert(values.end(), {"inf", "-inf", "1e300"});
    for (const auto& value : values) {
        const std::string said = complaints_of(conf_with(row, value));
        EXPECT_THAT(said, HasSubstr("expected " + expected_of(row))) << value;
        EXPECT_THAT(said, HasSubstr(std::string(row.name) + " is o")) << value;
    }
}

TEST_P(Number, RefusesOtherTypes) {
    const Setting& row = GetParam();
    std::vector<const char*> values{"\"5\"", "\"5s\"", "true", "[5]", "{ a = 1 }", "12:00:00"};
    if (row.kind == SettingKind::integer) values.push_back("1.5");
    for (const char* value : values)
        EXPECT_THAT(complaints_of(conf_with(row, value)),
                    HasSubstr(std::string(row.name) + " is of the wrong type"))
            << value;
}

INSTANTIATE_TEST_SUITE_P(Schema, Number, testing::ValuesIn(those([](const Setting& row) {
                             return row.kind == SettingKind::integer ||
                                    row.kind == SettingKind::seconds;
                         })),
                         row_name);

class Flag : public testing::TestWithParam<Setting> {};

TEST_P(Flag, TakesBothAndNothingElse) {
    const Setting& row = GetParam();
    for (const bool value : {false, true}) {
        Settings now, expected;
        EXPECT_THAT(complaints_of(conf_with(row, value ? "true" : "false"), now), IsEmpty());
        if (row.set == nullptr) continue;
        row.set(expected, value);
        EXPECT_TRUE(row.is_same(now, expected)) << value;
    }
    for (const char* value : {"0", "1", "\"true\"", "[]"})
        EXPECT_THAT(complaints_of(conf_with(row, value)), HasSubstr("expected true or false"))
            << value;
}

INSTANTIATE_TEST_SUITE_P(Schema, Flag, testing::ValuesIn(those([](const Setting& row) {
                             return row.kind == SettingKind::flag;
                         })),
                         row_name);

// --- the schema itself ---

TEST(SettingsSchema, AChoiceTakesItsWordsOnly) {
    const Setting& row = setting(Section::top, "proxy_header");
    for (std::size_t i = 0; i < row.words.size(); ++i) {
        Settings now;
        EXPECT_THAT(complaints_of(fmt::format("proxy_header = \"{}\"\n", row.words[i]), now),
                    IsEmpty());
        EXPECT_EQ(static_cast<std::size_t>(now.proxy_header), i);
    }
    EXPECT_THAT(complaints_of("proxy_header = \"x-real-ip\"\n"),
                HasSubstr("expected one of \"X-Forwarded-For\", \"Forwarded\", \"X-Real-IP\""));
}

TEST(SettingsSchema, EachIsThereOnceInItsSection) {
    std::size_t count = 0;
    for (const Setting& row : all_settings()) {
        const auto rows = settings_of(row.section);
        EXPECT_EQ(std::count_if(rows.begin(), rows.end(),
                                [&](const Setting& other) { return other.name == row.name; }),
                  1)
            << full_name(row);
        EXPECT_EQ(&setting(row.section, row.name), &row);
        ++count;
    }
    EXPECT_GT(count, 80U);
}

}  // namespace
