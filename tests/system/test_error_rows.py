# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of "What errors mean" in docs/operation.md is provoked: here, or by a test that another file has for it."""

import ast
import http.client
import re
import resource
import shutil
import subprocess
import textwrap
import threading
from pathlib import Path

import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from harness.dns_servers import Key
from harness.fake_dns import FakeDns
from harness.sanitized import is_sanitized
from harness.sftdyn import BINARY, conf, run

HERE = Path(__file__).parent
HOST = "home.dyn.example.org"


def documented():
    """What the log says, as the rows quote it."""
    text = (HERE.parents[1] / "docs/operation.md").read_text()
    section = text.split("\n## What errors mean\n")[1].split("\n## ")[0]
    return [quoted for row in section.splitlines() if row.startswith("| `") for quoted in re.findall("`([^`]+)`", row.split(" | ")[0])]


def is_in(quoted, text):
    """Where it has an ellipsis, anything may stand."""
    return all(part in text for part in re.split(r"\s*…\s*", quoted))


# Quoted -> the test that provokes it, which holds the whole text.
ELSEWHERE = {
    "the key file can't be read as user …: Permission denied": "test_errors.test_key_file_unreadable_says_who_tried",
    "the key file can't be read …: No such file": "test_errors.test_key_file_missing",
    "the secret is not Base64": "test_errors.test_key_file_of_the_wrong_form",
    "the sandbox ([process] landlock) lets this process read what was named": "test_sandbox.test_landlock_keeps_it_from_what_is_not_its_business",
    "nothing listens there (connection refused)": "test_errors.test_server_not_there",
    "did not answer in time": "test_errors.test_server_silent",
    "NOTAUTH (BADSIG)": "test_errors.test_wrong_secret_is_badsig",
    "NOTAUTH (BADKEY)": "test_errors.test_unknown_key_is_badkey",
    "NOTAUTH (BADTIME)": "test_errors.test_wrong_clock_is_badtime",
    "answered REFUSED": "test_errors.test_refused_by_policy",
    "answered NOTAUTH": "test_errors.test_zone_that_the_server_does_not_serve_is_notauth",
    "answered SERVFAIL": "test_errors.test_servfail_names_the_likely_causes",
    "serves no zone that holds …": "test_errors.test_no_zone_for_the_host",
    "the private key is encrypted": "test_https.test_what_is_not_usable_is_a_clear_error",
    "the certificate expires in": "test_https.test_expiry_is_warned_of",
    "the private key does not fit the certificate": "test_https.test_a_broken_renewal_is_reported_and_the_old_one_stays",
    "must not be published": "test_addresses.test_allow_and_deny",
    "is not an address that a host can have": "test_log.test_no_client_writes_more_than_some_lines",
    "sends a forwarding header, but is not one of trusted_proxies": "test_addresses.test_a_proxy_that_nobody_named_is_noticed",
    "sends a forwarding header, and no hook of the conf reads it": "test_addresses.test_a_python_conf_is_warned_too",
    "sends no forwarding header": "test_addresses.test_a_trusted_proxy_that_says_nothing_or_something_else_is_noticed",
    "sends another header than proxy_header names": "test_addresses.test_a_trusted_proxy_that_says_nothing_or_something_else_is_noticed",
    "hosts have been given one address": "test_addresses.test_many_hosts_with_one_address_are_noticed",
    "has not checked in for long": "test_admin.test_a_host_becomes_stale_and_comes_back",
    "too many bad keys from …": "test_guesses.test_delayed_then_refused_and_the_right_key_still_works",
    "so many addresses send bad keys that no more can be counted": "test_guesses.test_a_full_table_lets_nobody_guess",
    "… has … connections, and gets no more": "test_python_conf.test_one_address_does_not_take_all_connections",
    "there is no memory for a connection": "test_http_limits.test_without_memory_a_connection_ends_and_the_process_goes_on",
    "a thread can't be started": "test_process.test_without_a_thread_for_passwords_others_are_served",
    "file descriptors allow no more than": "test_http_limits.test_the_dns_has_descriptors_however_many_connect",
    "no file descriptor is left": "test_http_limits.test_out_of_descriptors",
    "there are … connections, and no more are accepted": "test_http_limits.test_the_dns_has_descriptors_however_many_connect",
    "systemd passed a socket that is called": "test_listeners.test_a_passed_socket_of_an_unknown_name_is_said",
    "(a socket that systemd passed) without cert and key": "test_listeners.test_a_passed_socket_for_tls_without_a_certificate_is_said",
    "the event command can't be run": "test_event_command.test_what_could_not_be_run_is_named_and_tried_again",
    "the event command ended with status": "test_admin.test_a_hook_that_fails_or_is_missing_is_told_of",
    "the event command did not end in time, and was killed": "test_event_command.test_number_and_time_are_settings",
    "the process that runs the event command has ended": "test_event_command.test_commands_end_with_the_helper_and_it_is_said",
    "event commands were not run or had not ended": "test_event_command.test_it_ends_within_five_seconds_whatever_runs_and_waits",
    "rows are invalid": "test_admin.test_rows_of_somebody_elses_are_left_out",
    "it names another address than its own": "test_log.test_no_client_writes_more_than_some_lines",
    "don't fit into the prefix": "test_dyndns.test_prefixes_that_are_none_or_too_small",
    "get_host raised an exception": "test_python_conf.test_a_hook_that_raises",
    "did not return within 5 s": "test_python_conf.test_hooks_that_never_return",
    "nsupdatecommands for …, line …": "test_python_conf.test_hooks_that_return_what_they_should_not",
    "a prerequisite is not met": "test_python_conf.test_prerequisites",
    "the address has the PTR record of another name": "test_zones.test_a_foreign_pointer_stays",
    "is a CNAME": "test_errors.test_cname_in_the_way",
    "which is a DNAME": "test_setups.test_wildcards_cnames_and_delegations",
    "it delegates … to another": "test_setups.test_wildcards_cnames_and_delegations",
    "the DNS server has no zone …: it answers from …": "test_setups.test_a_zone_that_the_server_does_not_have",
    "has confirmed the change, and serves …": "test_setups.test_a_server_that_confirms_and_does_nothing",
    "answered NOTAUTH to a query: it does not take our key": "test_setups.test_powerdns_says_notauth_where_it_does_not_take_the_key",
    "UDP is answered, TCP is not": "test_setups.test_tcp_that_is_shut_is_told_from_a_server_that_is_down",
    "has a parameter": "test_dialects.test_a_failure_has_changed_nothing",
    "which is not understood": "test_dialects.test_a_failure_has_changed_nothing",
    "sets a TXT record": "test_dialects.test_a_failure_has_changed_nothing",
    "names several addresses of one family": "test_dialects.test_a_failure_has_changed_nothing",
    "code of the conf does not return": "test_python_conf.test_hooks_that_never_return",
    "an earlier UPDATE of the zone is still unanswered": "test_admin.test_it_is_not_ready_while_updates_hang",
}

HERE_PROVOKED = {}  # quoted -> the case, which gives the log


def provokes(*quoted):
    def register(case):
        for one in quoted:
            HERE_PROVOKED[one] = case
        return case
    return register


# What a kernel without them, or a machine without a library, says.
LACKING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
static int lacks(const char *what) { const char *all = getenv("LACKING"); return all && strcmp(all, what) == 0; }
extern "C" long syscall(long number, ...) {
    static long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list all;
    va_start(all, number);
    for (int i = 0; i < 6; ++i) a[i] = va_arg(all, long);
    va_end(all);
    if (number == SYS_landlock_create_ruleset && lacks("landlock")) { errno = ENOSYS; return -1; }
    if (number == SYS_landlock_create_ruleset && lacks("later landlocks") && a[2] == 1) return 1;
    if (number == SYS_landlock_add_rule && lacks("rules")) { errno = EINVAL; return -1; }
    if (number == SYS_seccomp && lacks("seccomp")) { errno = ENOSYS; return -1; }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
extern "C" int prctl(int option, ...) {
    static int (*real)(int, ...) = (int (*)(int, ...))dlsym(RTLD_NEXT, "prctl");
    unsigned long a[4];
    va_list all;
    va_start(all, option);
    for (int i = 0; i < 4; ++i) a[i] = va_arg(all, unsigned long);
    va_end(all);
    if (option == PR_SET_SECCOMP && lacks("seccomp")) { errno = EINVAL; return -1; }
    return real(option, a[0], a[1], a[2], a[3]);
}
extern "C" void *dlopen(const char *name, int flags) {
    static void *(*real)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    if (name && strstr(name, "libsqlite3") && lacks("SQLite")) return NULL;
    return real(name, flags);
}
"""


def without(stage, what, extra=""):
    """The log of a start."""
    (stage.folder / "lacking.cpp").write_text(LACKING)
    library = stage.folder / "lacking.so"
    subprocess.run(["g++", "-w", "-shared", "-fPIC", "-o", library, stage.folder / "lacking.cpp"], check=True, capture_output=True)
    program = stage.sftdyn(f'nskeyfile = "/etc/none"\n{extra}\n[clients]\n"k" = "{HOST}"\n', environment={"LD_PRELOAD": str(library), "LACKING": what})
    return program.log()


def python_conf(stage, text):
    return stage.sftdyn(textwrap.dedent(text), arguments=["-vv", "--server", "127.0.0.1:1", "--nskeyfile", "/etc/none"], file="conf")


@provokes("no Landlock")
def no_landlock(stage):
    return without(stage, "landlock")


@provokes("Landlock of this kernel does not prevent")
def an_old_landlock(stage):
    assert "does not prevent" not in without(stage, "later landlocks"), "seccomp does"
    stage.running.pop().stop()
    return without(stage, "later landlocks", "[process]\nseccomp = false")


@provokes("Landlock keeps this process from it")
def no_rules(stage):
    return without(stage, "rules")


@provokes("no seccomp filter")
def no_seccomp(stage):
    return without(stage, "seccomp")


@provokes("SQLite (libsqlite3.so.0) can't be loaded")
def no_sqlite(stage):
    (stage.folder / "state").mkdir()
    return without(stage, "SQLite", f'[admin]\nstate = "{stage.folder}/state"')


@provokes("the database of hosts can't be made", "can't be used")
def no_database(stage):
    log = ""
    for name, file in (("folder", None), ("garbage", "x" * 5000)):
        state = stage.folder / name
        state.mkdir()
        (state / "hosts.sqlite").mkdir() if file is None else (state / "hosts.sqlite").write_text(file)
        program = stage.sftdyn(f'nskeyfile = "/etc/none"\n[admin]\nstate = "{state}"\n[clients]\n"k" = "{HOST}"\n', name=f"state-{name}")
        log += program.log()
    return log


@provokes("answered NOTZONE")
def not_in_the_zone(stage):
    class Refusing(FakeDns):
        def carry_out(self, request):
            response = super().carry_out(request)
            if request.opcode() == dns.opcode.UPDATE:
                response.set_rcode(dns.rcode.NOTZONE)
            return response

    key = Key()
    server = Refusing(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=key.write(stage.folder / "key")))
    assert program.get("k").body == "FAIL"
    return program.log()


@provokes("has expired")
def an_expired_certificate(stage):
    key, cert = stage.folder / "server.key", stage.folder / "old.crt"
    assert run("cert", "a.example.org", "--dir", stage.folder).returncode == 0
    subprocess.run(["openssl", "x509", "-in", stage.folder / "server.crt", "-signkey", key, "-days", "-1", "-out", cert], check=True, capture_output=True)
    return stage.sftdyn(f'https = "127.0.0.1:0"\ncert = "{cert}"\nkey = "{key}"\nnskeyfile = "/etc/none"\n[clients]\n"k" = "{HOST}"\n', listen=()).log()


@provokes("is a loopback address")
def a_loopback_address(stage):
    """That is not the client's own."""
    program = python_conf(stage, f"""
        CLIENTS = {{"k": "{HOST}"}}
        def nsupdatecommands(host, new_ip, headers):
            return [f"update add {{host}} 10 A 127.0.0.9"]
    """)
    assert program.get("k").body == "BADADDRESS"
    return program.log()


@provokes("Too many open files")
def no_descriptor_for_the_dns(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}))
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"127.0.0.1"
    resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (3, 3))
    connection.request("GET", "/k")
    assert connection.getresponse().read() == b"FAIL"
    return program.log()


@provokes("the event command was ended by signal")
def a_command_that_is_killed(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {"k": HOST}, extra='[admin]\nevent_command = ["/bin/sh", "-c", "kill -9 $$"]'))
    assert program.get("k").body == "OK"
    program.await_log("ended by signal 9")
    return program.log()


@provokes("a request waited for the conf's thread")
def more_hooks_than_threads(stage):
    program = python_conf(stage, """
        import time
        CLIENTS = {}
        def get_host(querystring, ip):
            time.sleep(300)
    """)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(program.get("k").body)) for _ in range(70)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["FAIL"] * 70
    return program.log()


@provokes("the conf could not be run on another thread")
def a_conf_that_does_not_run_again(stage):
    program = python_conf(stage, f"""
        import os, time
        if os.path.exists("{stage.folder}/once"):
            raise ValueError("no second time")
        open("{stage.folder}/once", "w").close()
        CLIENTS = {{}}
        def get_host(querystring, ip):
            time.sleep(300)
    """)
    assert program.get("k").body == "FAIL"
    program.await_log("the conf could not be run on another thread")
    return program.log()


@provokes("that is left out")
def an_address_that_is_none_beside_one(stage):
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {}, extra=f'[clients.c]\nkey = "k"\nhosts = ["{HOST}"]\nmay_set_address = true'))
    assert program.get("/k?myip=203.0.113.5,fe80::1").body == "OK"
    return program.log()


@provokes("it has an ipv6_suffix, and the request has no prefix that it fits into")
def a_router_that_sends_no_prefix(stage):
    """Its own address is not that of a host behind it."""
    server = stage.dns("named")
    program = stage.sftdyn(conf(server, {}, extra=f'[clients.c]\nuser = "u"\npassword = "p"\nhosts = [{{ host = "{HOST}", ipv6_suffix = "::1:2" }}]'), listen=("[::1]:0",))
    assert program.get(f"/nic/update?hostname={HOST}&username=u&password=p", host="::1", source="::1").body.split()[0] in ("dnserr", "911")
    assert server.records(HOST, "AAAA") == []
    return program.log()


@provokes("is in the server's zone …, not in …")
def a_server_that_contradicts_itself(stage):
    """As two servers at one address do, of which one has a zone of its own for the host."""
    class TwoServers(FakeDns):
        def zone_of(self, name):
            return dns.name.from_text(HOST) if self.type == dns.rdatatype.A else super().zone_of(name)

        def carry_out(self, request):
            self.type = request.question[0].rdtype
            return super().carry_out(request)

    key = Key()
    server = TwoServers(key)
    stage.running.append(server)
    program = stage.sftdyn(conf(server, {"k": HOST}, key_file=key.write(stage.folder / "key")))
    assert program.get("k").body == "FAIL"
    return program.log()


@provokes("Python confs need a plugin that is not installed")
def no_plugin(stage):
    alone = shutil.copy(BINARY, stage.folder)
    (stage.folder / "conf").write_text("CLIENTS = {}\n")
    return subprocess.run([alone, "check", stage.folder / "conf"], capture_output=True, text=True).stderr


def test_every_row_has_a_case():
    quoted = documented()
    assert len(quoted) == len(set(quoted)) and len(quoted) > 50
    assert not set(ELSEWHERE) & set(HERE_PROVOKED)
    assert set(quoted) == set(ELSEWHERE) | set(HERE_PROVOKED)


def test_tests_of_other_files_look_for_the_whole_text():
    for quoted, name in ELSEWHERE.items():
        file, test = name.split(".")
        source = (HERE / f"{file}.py").read_text()
        [found] = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == test]
        first = min(node.lineno for node in [found, *found.decorator_list])
        assert is_in(quoted, "\n".join(source.splitlines()[first - 1:found.end_lineno])), f"{name}: {quoted}"


@pytest.mark.parametrize("case", dict.fromkeys(HERE_PROVOKED.values()), ids=lambda case: case.__name__)
def test_the_row_is_provoked(stage, case):
    if is_sanitized and case in (no_landlock, an_old_landlock, no_rules, no_seccomp, no_sqlite, no_descriptor_for_the_dns):
        pytest.skip("the sanitizer wants to be the first library, and descriptors of its own")
    log = case(stage)
    for quoted in (one for one, its in HERE_PROVOKED.items() if its is case):
        assert is_in(quoted, log), log
