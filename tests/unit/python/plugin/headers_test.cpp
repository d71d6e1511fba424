// SPDX-License-Identifier: GPL-3.0-or-later
// The header fields as a hook sees them: the conf looks at them, and says what it saw.
#include <gmock/gmock.h>

#include "python/plugin/plugin_test.hpp"

namespace sftdyn::python {
namespace {

const Fields some{{"Host", "a"}, {"X-F", "1"}, {"x-f", "2"}};

struct Look {
    const char* name;
    const char* expression;  ///< in Python; `h` is the mapping
    const char* value;       ///< as repr() gives it; of an exception its name
};
class HeaderLooks : public PluginTest, public testing::WithParamInterface<Look> {
protected:
    std::string look(const std::string& expression, const Fields& fields = some) {
        return get_ip(*run("import collections.abc\ndef get_ip(source_ip, h, key):\n    try:\n"
                           "        return repr(" +
                           expression +
                           ")\n    except Exception as error:\n        return "
                           "type(error).__name__\n"),
                      fields);
    }
};

TEST_P(HeaderLooks, CaseOfNamesDoesNotMatter) {
    EXPECT_EQ(look(GetParam().expression), GetParam().value);
}
INSTANTIATE_TEST_SUITE_P(
    Headers, HeaderLooks,
    testing::Values(
        Look{"Mapping", "isinstance(h, collections.abc.Mapping)", "True"},
        Look{"Contains", "['HOST' in h, 'x-F' in h, 'x' in h, 'hos' in h, 5 in h]",
             "[True, True, False, False, False]"},
        Look{"First", "[h['host'], h['X-f']]", "['a', '1']"}, Look{"Missing", "h['x']", "KeyError"},
        Look{"Get", "[h.get('hOST'), h.get('x'), h.get('x', 7), h.get('x', default=8)]",
             "['a', None, 7, 8]"},
        Look{"GetOne", "[h.getone('x-f'), h.getone('x', 7)]", "['1', 7]"},
        Look{"GetOneMissing", "h.getone('x')", "KeyError"},
        Look{"GetAllInOrder", "[h.getall('X-F'), h.getall('host'), h.getall('x', [])]",
             "[['1', '2'], ['a'], []]"},
        Look{"GetAllMissing", "h.getall('x')", "KeyError"},
        Look{"GetAllAsEmail", "[h.get_all('x-f'), h.get_all('x'), h.get_all('x', 7)]",
             "[['1', '2'], None, 7]"},
        Look{"Length", "len(h)", "3"},
        Look{"NamesAsSent", "[list(h), list(h.keys())]",
             "[['Host', 'X-F', 'x-f'], ['Host', 'X-F', 'x-f']]"},
        Look{"Values", "list(h.values())", "['a', '1', '2']"},
        Look{"Items", "list(h.items())", "[('Host', 'a'), ('X-F', '1'), ('x-f', '2')]"},
        Look{"TellsNoValue", "h", "<Headers: 'Host', 'X-F', 'x-f'>"},
        Look{"Sets", "[sorted(h.keys() & {'x-F', 'a'}), sorted(h.keys() - {'HOST'})]",
             "[['x-F'], ['Host', 'X-F', 'x-f']]"},
        Look{"Views",
             "['1' in h.values(), '3' in h.values(), ('X-f', '2') in h.items(), "
             "('host', 'b') in h.items(), len(h.keys())]",
             "[True, False, True, False, 3]"},
        Look{"ACopyIsChanged",
             "[c := h.copy(), c.add('y', '3'), c.__setitem__('X-f', '4'), c['x-F'], "
             "c.pop('HOST'), list(c.items()), len(h), c.getall('x-f')]",
             "[<Headers: 'X-f', 'y'>, None, None, '4', 'a', [('X-f', '4'), ('y', "
             "'3')], 3, ['4']]"},
        Look{"Equal", "[h == h.copy(), h == {'host': 'a'}, h != h.copy()]", "[True, False, False]"},
        Look{"HasNoHash", "hash(h)", "TypeError"},
        Look{"AsADict", "{**h, 'a': 1}", "{'Host': 'a', 'X-F': '1', 'x-f': '1', 'a': 1}"},
        Look{"IsNotChanged", "h.__setitem__('a', 'b')", "AttributeError"}),
    [](const auto& row) { return row.param.name; });

TEST_F(HeaderLooks, ThereMayBeNone) {
    EXPECT_EQ(look("[len(h), list(h), 'host' in h, h.get('host')]", {}), "[0, [], False, None]");
}

/// As Python keeps such octets in file names (PEP 383).
TEST_F(HeaderLooks, WhatIsNoUtf8GoesThrough) {
    EXPECT_EQ(look("[h['x'], h['y']]", {{"X", "\xc3\xbc"}, {"Y", "\xff"}}),
              "['\xc3\xbc', '\\udcff']");
}

TEST_F(HeaderLooks, TheyAreOneRequests) {
    const auto conf =
        run("seen = []\ndef get_ip(source_ip, h, key):\n    seen.append(h)\n"
            "    return ' '.join(one['n'] for one in seen)\n");
    EXPECT_EQ(get_ip(*conf, {{"N", "first"}}), "first");
    EXPECT_EQ(get_ip(*conf, {{"N", "second"}}), "first second") << "a copy, which a hook may keep";
}

}  // namespace
}  // namespace sftdyn::python
