// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin as the program sees it, with the real CPython.
#include <atomic>
#include <cstddef>
#include <new>
#include <thread>

#include <gmock/gmock.h>

#include "python/plugin/plugin_test.hpp"

// A sanitizer has its own heap.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED_HEAP
#endif
#endif

#ifndef SANITIZED_HEAP
namespace {
/// Whether the thread gets no memory from calloc(3), from which CPython takes its threads' states.
thread_local bool has_no_memory = false;
}  // namespace

extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
/// In place of the C library's, for the interpreter too.
extern "C" void* calloc(std::size_t count, std::size_t size) {
    return has_no_memory ? nullptr : __libc_calloc(count, size);
}
#endif

namespace sftdyn::python {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(PluginTest, SettingsAreWhatTheConfSets) {
    const auto conf =
        run("a = 8080\nb = '[::1]:53'\n\nc = True\nd = ['1', 2]\ne = None\nf = 1.5\ng = 1 << "
            "80\nimport pathlib\nh = pathlib.Path('/x')\n");
    const auto settings = *conf->settings({"a", "b", "c", "d", "e", "f", "g", "h", "i"});
    ASSERT_EQ(settings.size(), 7U);
    EXPECT_EQ(std::get<std::int64_t>(settings[0].values.at(0).scalar), 8080);
    EXPECT_EQ(settings[0].line, 1U);
    EXPECT_EQ(std::get<std::string>(settings[1].values.at(0).scalar), "[::1]:53");
    EXPECT_TRUE(std::get<bool>(settings[2].values.at(0).scalar));
    EXPECT_EQ(settings[2].line, 4U);
    ASSERT_EQ(settings[3].values.size(), 2U);
    EXPECT_EQ(std::get<std::int64_t>(settings[3].values[1].scalar), 2);
    EXPECT_EQ(settings[4].values.at(0).scalar.index(), 0U);
    EXPECT_EQ(settings[4].values.at(0).type, "float");
    EXPECT_EQ(settings[5].values.at(0).scalar.index(), 0U);
    EXPECT_EQ(std::get<std::string>(settings[6].values.at(0).scalar), "/x");
}

TEST_F(PluginTest, ClientsAreADict) {
    const auto conf =
        run("CLIENTS = {'a': 'b.example', 'ü': 'c', 1: 2}\nOTHER = []\nmore = {'x': 'y'}\n");
    const auto clients = *conf->clients("CLIENTS");
    ASSERT_TRUE(clients);
    ASSERT_EQ(clients->size(), 3U);
    EXPECT_EQ((*clients)[1].key.reveal(), "ü");
    EXPECT_TRUE((*clients)[2].key.empty());
    EXPECT_EQ((*clients)[2].host.type, "int");
    EXPECT_FALSE(*conf->clients("OTHER"));
    EXPECT_FALSE(*conf->clients("NONE"));
    EXPECT_THAT(*conf->tables(), ElementsAre("more"));
}

TEST_F(PluginTest, WhatIsWrongIsToldWithItsLine) {
    const auto diagnostic = [this](const std::string& text) {
        return try_run(text).error().text();
    };
    EXPECT_THAT(diagnostic("a = 1\nb = (\n"), HasSubstr(path + ":2: this is no Python: "));
    EXPECT_THAT(diagnostic("a = 1\nb = c\n"),
                HasSubstr(path + ":2: NameError: name 'c' is not defined"));
    EXPECT_THAT(diagnostic("def f():\n    raise ValueError('x')\n\n\nf()\n"),
                HasSubstr(path + ":2: ValueError: x"));
    EXPECT_THAT(diagnostic("import sys\nsys.exit(3)\n"),
                HasSubstr(path + ":2: it ends the program"));
    EXPECT_THAT(diagnostic("import no_such_module_here\n"),
                HasSubstr(path + ":1: ModuleNotFoundError"));
    EXPECT_THAT(interpreter().run(folder / "none").error().text(), HasSubstr("No such file"));
}

TEST_F(PluginTest, HooksGetWhatTheyAreToGet) {
    const auto conf =
        run("def get_ip(source_ip, headers, key):\n    return f\"{source_ip} {headers['x-a']} "
            "{key!r}\"\n"
            "def get_host(querystring, ip):\n    return f'{querystring}/{ip}'\n"
            "def nsupdatecommands(host, new_ip, headers):\n    yield f'{host} {new_ip}'\n    yield "
            "b'second'\n    yield 'x\\ny\\n'\n");
    EXPECT_TRUE(conf->has_get_ip() && conf->has_get_host() && conf->has_nsupdate_commands());
    EXPECT_EQ(get_ip(*conf, {{"X-A", "v"}}, ""), "192.0.2.1 v ''");
    EXPECT_EQ(get_host(*conf, "k"), "k/192.0.2.1");
    EXPECT_THAT(commands(*conf, {{"X-A", "v"}}),
                ElementsAre("host.example 192.0.2.1 v 'key'", "second", "x", "y"));
    EXPECT_EQ(get_host(*conf, "\xff\xc3\xbc"), "\xff\xc3\xbc/192.0.2.1")
        << "what is no UTF-8 goes through";
}

TEST_F(PluginTest, WhatHooksMayReturn) {
    const auto ip = [this](const std::string& value) {
        return get_ip(*run("import ipaddress\ndef get_ip(source_ip, headers, key):\n    return " +
                           value + "\n"));
    };
    EXPECT_EQ(ip("b'192.0.2.9'"), "192.0.2.9");
    EXPECT_EQ(ip("ipaddress.ip_address('2001:db8::1')"), "2001:db8::1");
    EXPECT_EQ(ip("' 192.0.2.9 '"), "192.0.2.9");
    EXPECT_EQ(ip("None"), "an object: NoneType");
    EXPECT_EQ(ip("('192.0.2.1', '2001:db8::1')"), "an object: tuple");
    EXPECT_EQ(ip("ipaddress.ip_interface('192.0.2.1/24')"), "an object: IPv4Interface");
    const auto host = [this](const std::string& value) {
        return get_host(*run("def get_host(querystring, ip):\n    return " + value + "\n"), "k");
    };
    for (const char* none : {"None", "False", "''", "0", "b''"}) EXPECT_EQ(host(none), "") << none;
    EXPECT_EQ(host("b'h'"), "h");
    EXPECT_EQ(host("True"), "an object: bool");
    EXPECT_EQ(host("['h']"), "an object: list");
    const auto script = [this](const std::string& value) {
        return commands(
            *run("import itertools\ndef nsupdatecommands(host, new_ip, headers):\n    return " +
                 value + "\n"));
    };
    EXPECT_THAT(script("'a\\nb'"), ElementsAre("a", "b"));
    EXPECT_THAT(script("b'a'"), ElementsAre("a"));
    EXPECT_THAT(script("('a', '', 'b')"), ElementsAre("a", "", "b"));
    EXPECT_THAT(script("[]"), ElementsAre());
    EXPECT_THAT(
        script("None"),
        ElementsAre(
            "error: nsupdatecommands returned NoneType: expected an iterable of nsupdate lines"));
    EXPECT_THAT(script("[1]"), ElementsAre("error: nsupdatecommands returned int: expected an "
                                           "iterable of nsupdate lines, each of them a str"));
    EXPECT_THAT(script("itertools.repeat('x')"),
                ElementsAre("error: nsupdatecommands returned more than 100000 lines"));
}

TEST_F(PluginTest, HostsAndValuesAreTheConfsOwnAndComparedAsPythonDoes) {
    const auto conf = run(
        "class Host(str):\n    ttl = 99\nVALUES = {'a': ('x', 1), 'b': ('x', 1), 'c': ('y', 1), "
        "'d': "
        "None}\ndef get_ip(source_ip, headers, key):\n    return VALUES[key]\n"
        "def get_host(querystring, ip):\n    return [] if querystring == 'list' else Host('h')\n"
        "def nsupdatecommands(host, new_ip, headers):\n    return [f'{host} {host.ttl} "
        "{new_ip[0]}']\n");
    const auto number = [&](const std::string& key) {
        const auto call = conf->call("192.0.2.1", {}, key);
        static_cast<void>(call->get_ip());
        static_cast<void>(call->get_host("k"));
        return call->pair_number().value();
    };
    EXPECT_EQ(number("d"), 0U) << "a host without a value has None";
    const auto first = number("a");
    EXPECT_NE(first, 0U);
    EXPECT_EQ(number("b"), first) << "it is equal";
    const auto second = number("c");
    EXPECT_NE(second, first);
    EXPECT_NE(number("a"), first) << "it was another meanwhile";
    EXPECT_NE(number("d"), 0U);
    const auto call = conf->call("192.0.2.1", {}, "a");
    static_cast<void>(call->get_ip());
    static_cast<void>(call->get_host("k"));
    EXPECT_THAT(call->nsupdate_commands("h").value(), ElementsAre("h 99 x"));
    const auto before = number("a");
    call->forget_pair();
    EXPECT_NE(number("a"), before);
    const auto none =
        run("def get_host(q, ip):\n    return ['a list']\n")->call("192.0.2.1", {}, "k");
    static_cast<void>(none->get_host("k"));
    EXPECT_THAT(none->pair_number().error().text(), HasSubstr("TypeError: unhashable type"));
}

TEST_F(PluginTest, AnExceptionIsToldWithoutTheSecrets) {
    const auto conf =
        run("def get_host(querystring, ip):\n    return {}[querystring.split(',')[1]]\n");
    const auto said = get_host(*conf, "host=x,topsecretkey");
    EXPECT_THAT(said, HasSubstr("get_host raised an exception:\nTraceback"));
    EXPECT_THAT(said, HasSubstr("line 2, in get_host"));
    EXPECT_THAT(said, HasSubstr("KeyError: '[hidden]'"));
    EXPECT_THAT(said, Not(HasSubstr("secret")));
    // As Python writes it, too.
    const auto quoted =
        get_host(*run("def get_host(querystring, ip):\n    raise ValueError(repr(querystring))\n"),
                 "it's\\äöüß");
    EXPECT_THAT(quoted, HasSubstr("ValueError: \"[hidden]\""));
    const auto decoded = get_host(*run("import urllib.parse\ndef get_host(querystring, ip):\n    "
                                       "raise ValueError(urllib.parse.unquote(querystring))\n"),
                                  "a%20b%20c%20d");
    EXPECT_THAT(decoded, HasSubstr("ValueError: [hidden]"));
    const auto field = get_ip(*run("def get_ip(source_ip, headers, key):\n    raise "
                                   "ValueError(headers['Authorization'])\n"),
                              {{"authorization", "Basic abcdefgh"}});
    EXPECT_THAT(field, HasSubstr("ValueError: [hidden]"));
}

TEST_F(PluginTest, NoTracebackShowsASourceLineOrAKey) {
    // In each the key that is asked for is none; what the conf knows is PYKEY and more, in all the
    // ways that confs are written.
    const std::vector<std::pair<std::string, std::string>> confs = {
        {"def get_host(q, ip):\n    return {\"PYKEY-0123456789\": \"a.example.org\", "
         "\"PYKEY-fedcba9876\": \"b.example.org\"}[q]\n",
         "line 2, in get_host"},
        {"C = {'PYKEY-0123456789': 'a.example.org'}\ndef get_host(q, ip):\n    raise "
         "ValueError('not one of %s' % sorted(C))\n",
         "not one of"},
        {"C = dict(PYKEY_0123456789='a.example.org')\ndef get_host(q, ip):\n    raise "
         "ValueError(C)\n",
         "ValueError: {'[hidden]'"},
        {"def get_host(q, ip):\n    raise ValueError(dict(PYKEY_0123456789=1))\n",
         "ValueError: {'[hidden]'"},
        {"def get_host(q, ip):\n    known = {'PYKEY-0123456789': 1}\n    for k in known: raise "
         "ValueError(k)\n",
         "ValueError: [hidden]"},
        {"KEY = 'PYKEY-0123456789'\ndef get_host(q, ip):\n    raise ValueError(KEY)\n",
         "ValueError: [hidden]"},
        {"def get_host(q, ip):\n    if q == 'PYKEY-0123456789': return 'a.example.org'\n    raise "
         "ValueError('is not PYKEY-0123')\n",
         "is not [hidden]"},
        {"KEYS = {'PYKEY-0123456789', 'PYKEY-99'}\ndef get_host(q, ip):\n    raise "
         "ValueError(KEYS)\n",
         "ValueError: {'[hidden]'"},
        {"class Clients:\n    table = {'PYKEY-0123456789': 1}\ndef get_host(q, ip):\n    raise "
         "ValueError(list(Clients.table))\n",
         "['[hidden]']"},
        {"def get_host(q, ip, table={'PYKEY-0123456789': 1}):\n    raise ValueError(list(table))\n",
         "['[hidden]']"},
        {"C = {'PYKEY-0123456789': 1}\ndef get_host(q, ip):\n    try:\n        C[q]\n    except "
         "KeyError as e:\n        raise ValueError(str(C)) "
         "from e\n",
         "the direct cause"},
        {"C = {'PYKEY-0123456789': 1}\ndef get_host(q, ip):\n    raise ExceptionGroup('several', "
         "[ValueError(str(C)), KeyError(q)])\n",
         "  + ValueError: {'[hidden]'"},
        {"C = {'schl\\u00fcssel PYKEY': 1}\ndef get_host(q, ip):\n    import urllib.parse\n    "
         "raise ValueError(urllib.parse.quote(list(C)[0]))\n",
         "ValueError: [hidden]"},
        {"def get_host(q, ip):\n    raise ValueError('first\\nPYKEY-0123456789')\n",
         "ValueError: first"},
        {"import clients_beside\ndef get_host(q, ip):\n    return clients_beside.find(q)\n",
         "in find"},
        {"def get_host(q, ip):\n    exec(\"dict(PYKEY_0123456789=1, PYKEY_0123456789=2)\")\n",
         "SyntaxError: keyword argument repeated"},
        {"C = {'PYKEY%d' % n: 1 for n in range(5000)}\ndef get_host(q, ip):\n    raise "
         "ValueError('PYKEY4711')\n",
         "its text is not shown"},
    };
    folder.write("clients_beside.py", "def find(q):\n    return {'PYKEY-0123456789': 1}[q]\n");
    for (const auto& [text, expected] : confs) {
        const auto said = get_host(*run(text), "nosuchkey");
        EXPECT_THAT(said, HasSubstr("get_host raised an exception:\n")) << text;
        EXPECT_THAT(said, HasSubstr(expected)) << text;
        for (const char* key : {"PYKEY", "0123456", "fedcba", "schl"})
            EXPECT_THAT(said, Not(HasSubstr(key))) << text << said;
        for (const char* source : {"raise ", "return", "def "})
            EXPECT_THAT(said, Not(HasSubstr(source))) << text << said;
    }
    // What is no key stays.
    const auto said = get_host(*run("def get_host(q, ip):\n    raise ValueError('the header "
                                    "X-Real-IP is missing from 192.0.2.1')\n"),
                               "nosuchkey");
    EXPECT_THAT(said, HasSubstr("ValueError: the header X-Real-IP is missing from 192.0.2.1"));
}

TEST_F(PluginTest, KeysThatAreNoTextsAreHiddenAsThose) {
    const std::vector<std::pair<std::string, std::string>> confs = {
        {"C = {739184650192: 1}\ndef get_host(q, ip):\n    raise ValueError(C)\n",
         "ValueError: {[hidden]: 1}"},
        {"C = {int('7391' + '84650192'): 1}\ndef get_host(q, ip):\n    return C[739184650199]\n",
         "KeyError: [hidden]9"},
        {"def get_host(q, ip):\n    return {739184650192: 1}[739184650192 + 1]\n",
         "KeyError: [hidden]3"},
        {"C = {739184650192.5: 1}\ndef get_host(q, ip):\n    raise ValueError(list(C))\n",
         "ValueError: [[hidden]]"},
        {"C = {('a', 'PYKEY-' + '0123456789', 739184650190 + 2): 1}\ndef get_host(q, ip):\n    "
         "raise ValueError(list(C))\n",
         "ValueError: [('a', '[hidden]', [hidden])]"},
        {"C = {739184650190 + 2, 5}\ndef get_host(q, ip):\n    raise ValueError(sorted(C))\n",
         "ValueError: [5, [hidden]]"},
        {"def get_host(q, ip):\n    if 1 == 739184650192: return ''\n    raise "
         "ValueError('not 73918465')\n",
         "ValueError: not [hidden]"},
        {"class N(int):\n    def __repr__(self): return 'n'\n    __str__ = __repr__\nC = "
         "{N(739184650192): 1, 10 ** 5000: 2}\ndef get_host(q, ip):\n    raise "
         "ValueError('not 739184650192')\n",
         "ValueError: not [hidden]"},
        // Short ones are in every text.
        {"C = {80: 1, 8080: 2, True: 3}\ndef get_host(q, ip):\n    raise ValueError(C, 1, "
         "65536)\n",
         "ValueError: ({80: 1, 8080: 2, True: 3}, 1, 65536)"},
    };
    for (const auto& [text, expected] : confs) {
        const auto said = get_host(*run(text), "nosuchkey");
        EXPECT_THAT(said, HasSubstr(expected)) << text;
        EXPECT_THAT(said, Not(HasSubstr("739184"))) << text << said;
    }
}

TEST_F(PluginTest, AConfThatDoesNotRunIsToldWithoutItsKeys) {
    for (const char* text : {
             "CLIENTS = {'PYKEY-0123456789': nowhere.example.org}\n",
             "CLIENTS = {'PYKEY-0123456789': 'a' 1}\n",
             "CLIENTS = {'PYKEY-0123456789: 'a'}\n",
             "CLIENTS = dict(PYKEY_0123456789='a', PYKEY_0123456789='b')\n",
             "CLIENTS = {'PYKEY-0123456789': 'a'}\nraise ValueError(CLIENTS)\n",
             "CLIENTS = {'PYKEY-0123456789': 'a'}\nCLIENTS['PYKEY-01234567']\n",
             "CLIENTS = {'PYKEY-0123456789': int('PYKEY-0123456789')}\n",
             "def f(PYKEY_0123456789, PYKEY_0123456789): pass\n",
         }) {
        const auto result = try_run(text);
        ASSERT_TRUE(result.has_error()) << text;
        for (const char* key : {"PYKEY", "0123456"})
            EXPECT_THAT(result.error().text(), Not(HasSubstr(key))) << text;
    }
}

TEST_F(PluginTest, WhatReadingAConfRaisesIsADiagnosticWithoutItsKeys) {
    const std::string known = "CLIENTS = {'PYKEY-0123456789': 'a.example.org'}\n";
    struct Row {
        const char *name, *text, *expected;
    };
    for (const Row& row : {
             Row{"path",
                 "class X:\n    def __fspath__(self):\n        raise ValueError(CLIENTS)\nx = "
                 "X()\n",
                 ":4: ValueError: {'[hidden]"},
             Row{"list",
                 "class X(list):\n    def __iter__(self):\n        raise "
                 "KeyError('PYKEY-01234567')\n"
                 "x = X()\n",
                 ":4: KeyError: '[hidden]'"},
             Row{"exit",
                 "class X:\n    def __fspath__(self):\n        raise SystemExit('PYKEY-01')\nx = "
                 "X()\n",
                 ":4: it ends the program (sys.exit)"},
             Row{"untold",
                 "class E(BaseException):\n    def __str__(self):\n        raise SystemExit\n"
                 "class X:\n    def __fspath__(self):\n        raise E\nx = X()\n",
                 ": it raises an exception that can't be shown"},
         }) {
        const auto conf = run(known + row.text);
        const auto settings = conf->settings({"x"});
        ASSERT_TRUE(settings.has_error()) << row.name;
        EXPECT_THAT(settings.error().text(), HasSubstr(path + row.expected)) << row.name;
        EXPECT_THAT(settings.error().text(), Not(HasSubstr("PYKEY"))) << row.name;
        const auto clients = run(known + row.text + "CLIENTS['other'] = x\n")->clients("CLIENTS");
        EXPECT_EQ(clients.has_error(), std::string_view(row.name) != "list") << row.name;
        EXPECT_TRUE(conf->settings({"CLIENTS"}).has_value()) << "and it goes on";
    }
    // A dict that changes while it is read.
    const auto conf =
        run("class X:\n    def __fspath__(self):\n        CLIENTS.clear()\n        return 'x'\n"
            "CLIENTS = {'a': X(), 'b': 'c'}\n");
    EXPECT_EQ((*conf->clients("CLIENTS"))->size(), 2U);
}

TEST_F(PluginTest, ANameThatIsAKeyWithoutQuotationMarksIsHidden) {
    for (const char* text : {
             "CLIENTS = {PYKEY0123456789: 'a'}\n",
             "def f():\n    x = PYKEY0123456789\n    PYKEY0123456789 = 1\nf()\n",
             "import sys\nCLIENTS = {sys.PYKEY0123456789: 'a'}\n",
             "class Keys: pass\nCLIENTS = {Keys().PYKEY0123456789: 'a'}\n",
             "from sys import PYKEY0123456789\n",
             "import PYKEY0123456789\n",
             "import PYKEY0123456789.PYKEY0123456789\n",
             "def f(): pass\nf(PYKEY0123456789='a')\n",
             "def f(PYKEY0123456789): pass\nf()\n",
             "getattr(object, 'PYKEY \\' 0123456789')\n",
         }) {
        const auto result = try_run(text);
        ASSERT_TRUE(result.has_error()) << text;
        EXPECT_THAT(result.error().text(), HasSubstr("[hidden]")) << text;
        for (const char* key : {"PYKEY", "0123456"})
            EXPECT_THAT(result.error().text(), Not(HasSubstr(key))) << text;
    }
    const auto said = get_host(
        *run("def get_host(q, ip):\n    return {PYKEY0123456789: 'a.example.org'}[q]\n"), "k");
    EXPECT_THAT(said, HasSubstr("NameError: name '[hidden]' is not defined"));
    EXPECT_THAT(said, Not(HasSubstr("PYKEY")));
    // Python's own names, and sftdyn's.
    const auto told = [this](const std::string& text) { return try_run(text).error().text(); };
    EXPECT_THAT(told("sqlite3.connect\n"), HasSubstr("name 'sqlite3' is not defined"));
    EXPECT_THAT(told("CLIENTS['x'] = 1\n"), HasSubstr("name 'CLIENTS' is not defined"));
    EXPECT_THAT(told("import re\nre.match('a', 'b').group(1)\n"),
                HasSubstr("'NoneType' object has no attribute 'group'"));
    EXPECT_THAT(told("[].split()\n"), HasSubstr("'list' object has no attribute 'split'"));
    EXPECT_THAT(told("1 + ''\n"), HasSubstr("unsupported operand type(s) for +: 'int' and 'str'"));
}

TEST_F(PluginTest, KeysAreFoundWhereverAConfKeepsThem) {
    for (const char* text : {
             "K = ['PYKEY-0123456789']\ndef get_host(q, ip):\n    raise ValueError('x' + K[0] + "
             "'_y ' + K[0])\n",
             "K = ['PYKEY-0123456789']\ndef get_host(q, ip):\n    raise ValueError(K[0] * 3)\n",
             "import types\nK = types.SimpleNamespace(a='PYKEY-' + '0123456789')\ndef get_host(q, "
             "ip):\n    raise ValueError(K)\n",
             "import types\nK = types.SimpleNamespace(t={'PYKEY-' + '0123456789': 1})\ndef "
             "get_host(q, ip):\n    raise ValueError(K.t)\n",
             "import types\nK = types.SimpleNamespace(**{'PYKEY_' + '0123456789': 1})\ndef "
             "get_host(q, ip):\n    raise ValueError(K)\n",
             "import argparse\nK = argparse.Namespace(a='PYKEY-' + '0123456789')\ndef get_host(q, "
             "ip):\n    raise ValueError(K)\n",
             "import collections\nK = collections.UserDict({'PYKEY-' + '0123456789': 1})\ndef "
             "get_host(q, ip):\n    raise ValueError(K)\n",
             "import collections\nK = collections.deque(['PYKEY-' + '0123456789'])\ndef "
             "get_host(q, ip):\n    raise ValueError(K)\n",
             "import functools\nf = functools.partial(print, 'PYKEY-' + '0123456789')\ndef "
             "get_host(q, ip):\n    raise ValueError(f.args)\n",
             "class C:\n    __slots__ = ('a',)\n    def __init__(self): self.a = 'PYKEY-' + "
             "'0123456789'\nK = C()\ndef get_host(q, ip):\n    raise ValueError(K.a)\n",
             "class C:\n    def __init__(self): self.a = 'PYKEY-' + '0123456789'\n    def "
             "find(self, q): raise ValueError(self.a)\nfind = C().find\ndef get_host(q, ip):\n    "
             "return find(q)\n",
         }) {
        const auto said = get_host(*run(text), "nosuchkey");
        EXPECT_THAT(said, HasSubstr("[hidden]")) << text;
        for (const char* key : {"PYKEY", "0123456"})
            EXPECT_THAT(said, Not(HasSubstr(key))) << text << said;
    }
    // A word that a text of the conf is part of means something else.
    EXPECT_THAT(
        get_host(*run("KIND = 'update'\ndef get_host(q, ip):\n    raise ValueError('updated "
                      "update.example.org')\n"),
                 "nosuchkey"),
        HasSubstr("updated update.example.org"));
}

TEST_F(PluginTest, WhetherHooksReadHeadersIsSeen) {
    const std::string host = "def get_host(q, ip): return 'h'\n";
    for (const char* text :
         {"", "def get_ip(source_ip, headers, key):\n    return source_ip\n",
          "def get_ip(source_ip, headers, key):\n    headers = 5\n    return source_ip\n",
          "def nsupdatecommands(host, new_ip, headers):\n    yield f'{host} {new_ip}'\n"})
        EXPECT_FALSE(run(host + text)->reads_headers()) << text;
    for (const char* text :
         {"def get_ip(source_ip, headers, key):\n    return headers.get('X-Real-IP')\n",
          "def get_ip(a, b, c):\n    return list(b)\n",
          "def get_ip(a, b, c):\n    return max(x for x in [1] if b)\n",
          "def get_ip(a, b, c):\n    f = lambda: b\n    return f()\n",
          "def get_ip(*all):\n    return all[0]\n",
          "def get_ip(a, headers, c):\n    return locals()['headers']\n",
          "import sys\ndef get_ip(a, headers, c):\n    return "
          "sys._getframe().f_locals['headers']\n",
          "import functools\nget_ip = functools.partial(print)\n",
          "class C:\n    def get_ip(self, a, b, c): return a\nget_ip = C().get_ip\n",
          "def nsupdatecommands(host, new_ip, headers):\n    yield headers['User-Agent']\n"})
        EXPECT_TRUE(run(host + text)->reads_headers()) << text;
}

TEST_F(PluginTest, WhetherGetIpReadsTheKeyIsKnown) {
    const std::string host = "def get_host(querystring, ip): return querystring\n";
    for (const char* text :
         {"", "def get_ip(source_ip, headers, key):\n    return headers.get('X-Real-IP')\n",
          "PROXIED = {}\ndef get_ip(ip, headers, key):\n    return PROXIED.get(ip, ip)\n"})
        EXPECT_FALSE(run(host + text)->get_ip_reads_key()) << text;
    for (const char* text :
         {"PROXIED = {}\ndef get_ip(ip, headers, key):\n    return PROXIED[key]\n",
          "def get_ip(*all):\n    return all[2]\n", "def get_ip(a, *rest):\n    return rest[1]\n",
          "import functools\nget_ip = functools.partial(print)\n"})
        EXPECT_TRUE(run(host + text)->get_ip_reads_key()) << text;
}

TEST_F(PluginTest, ModulesBesideTheConfAreReadAnewWithIt) {
    const auto module = [this](const std::string& value) {
        std::filesystem::remove_all(folder / "__pycache__");
        folder.write("beside_the_conf.py", "value = '" + value + "'\n");
    };
    const std::string text =
        "import beside_the_conf\ndef get_ip(source_ip, headers, key):\n    return "
        "beside_the_conf.value\n";
    module("one");
    const auto first = run(text);
    module("two");
    const auto second = run(text);
    EXPECT_EQ(get_ip(*first), "one");
    EXPECT_EQ(get_ip(*second), "two");
    module("three");
    EXPECT_TRUE(try_run(text + "import beside_the_conf as again\nraise ValueError\n").has_error());
    EXPECT_EQ(get_ip(*second), "two");
}

TEST_F(PluginTest, AnInterruptionEndsALoop) {
    const auto conf =
        run("looping = False\ndef get_host(querystring, ip):\n    while querystring == 'loop':\n   "
            "     try:\n            pass\n        except "
            "Exception:\n            pass\n    return 'h'\n");
    std::atomic<std::uint64_t> number = 0;
    std::string said, after;
    std::thread thread([&] {
        const auto attached = interpreter().attach();
        number = attached->number();
        said = get_host(*conf, "loop");
        attached->clear_interrupt();
        after = get_host(*conf, "k");
    });
    while (number == 0) std::this_thread::yield();
    interpreter().interrupt(number);
    thread.join();
    EXPECT_THAT(said, HasSubstr("HookTimeout"));
    EXPECT_EQ(after, "h");
}

#ifndef SANITIZED_HEAP
TEST_F(PluginTest, AThreadThatHasNoMemoryIsNotAttached) {
    const auto conf = run("a = 1\n");
    std::thread([&] {
        has_no_memory = true;
        EXPECT_THROW(static_cast<void>(interpreter().attach()), std::bad_alloc);
        EXPECT_THROW(static_cast<void>(conf->settings({})), std::bad_alloc);
        has_no_memory = false;
        const auto attached = interpreter().attach();
        has_no_memory = true;
        interpreter().interrupt(attached->number());
        attached->clear_interrupt();
        has_no_memory = false;
        EXPECT_EQ(conf->settings({"a"})->size(), 1U);
    }).join();
}
#endif

TEST_F(PluginTest, AConfMayBeDroppedOnAnyThread) {
    auto conf = run("def get_host(querystring, ip):\n    return 'h'\n");
    std::thread([&] { conf.reset(); }).join();
    EXPECT_EQ(get_host(*run("def get_host(querystring, ip):\n    return 'i'\n"), "k"), "i");
}

}  // namespace
}  // namespace sftdyn::python
