"""Behind a proxy: the trusted one's word counts, nobody else's; with a real nginx in front."""

import subprocess

import pytest

from harness.nginx import Nginx
from harness.process import await_true
from harness.sftdyn import conf, run

HOST = "home.dyn.example.org"


def start(stage, settings='trusted_proxies = ["127.0.0.1"]'):
    server = stage.dns("named")
    return server, stage.sftdyn(settings + "\n" + conf(server, {"k": HOST}))


def test_a_trusted_proxy_names_the_client(stage):
    server, program = start(stage)
    assert program.get("k", headers={"X-Forwarded-For": "198.51.100.7"}).body == "OK"
    assert server.records(HOST, "A") == ["198.51.100.7"]
    assert program.get("k", headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.8:555, 127.0.0.1"}).body == "OK"
    assert server.records(HOST, "A") == ["198.51.100.8"]
    assert program.get("k", headers={"X-Forwarded-For": "2001:db8::7"}).body == "OK"
    assert server.records(HOST, "AAAA") == ["2001:db8::7"]
    assert program.get("/", headers={"X-Forwarded-For": "198.51.100.9"}).body == "198.51.100.9"
    assert program.get("/").body == "127.0.0.1"


def test_nobody_else_is_believed(stage):
    server, program = start(stage)
    headers = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7", "X-Real-IP": "198.51.100.7"}
    assert program.get("k", source="127.0.0.2", headers=headers).body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.2"]


def test_without_the_setting_no_proxy_is_believed(stage):
    server, program = start(stage, "")
    assert program.get("k", headers={"X-Forwarded-For": "198.51.100.7"}).body == "OK"
    assert server.records(HOST, "A") == ["127.0.0.1"]


@pytest.mark.parametrize("value", ["junk", "", "fe80::1%eth0", "198.51.100.7,", "0.0.0.0", "unknown"])
def test_junk_is_refused_and_changes_nothing(stage, value):
    server, program = start(stage)
    serial = server.serial()
    assert program.get("k", headers={"X-Forwarded-For": value}).status == 400
    assert server.serial() == serial


@pytest.mark.parametrize("name,value", [("Forwarded", 'for="[2001:db8::9]:1234";proto=https'), ("X-Real-IP", "2001:db8::9")])
def test_the_header_is_a_choice(stage, name, value):
    server, program = start(stage, f'trusted_proxies = ["127.0.0.0/8"]\nproxy_header = "{name}"')
    assert program.get("k", headers={name: value, "X-Forwarded-For": "6.6.6.6"}).body == "OK"
    assert server.records(HOST, "AAAA") == ["2001:db8::9"]


def test_settings_are_checked(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('trusted_proxies = ["10.0.0.0/33", 7]\nproxy_header = "Via"\n')
    result = run("check", path)
    assert result.returncode == 1
    for words in ('c.toml:1:20: "10.0.0.0/33" is no network', "c.toml:1:35: trusted_proxies is of the wrong type", "c.toml:2:16: proxy_header is no field"):
        assert words in result.stderr, result.stderr


def test_nginx_in_front(stage, tmp_path):
    server, program = start(stage)
    nginx = Nginx(tmp_path, f"proxy_pass http://127.0.0.1:{program.port}; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;").start()
    stage.running.append(nginx)

    def curl(*arguments):
        return subprocess.run(["curl", "-s", "--interface", "127.0.0.77", *arguments, f"http://127.0.0.1:{nginx.port}/k"], capture_output=True, text=True).stdout
    await_true(lambda: curl() in ("OK", "UPTODATE"), "nginx passes it on")
    assert server.records(HOST, "A") == ["127.0.0.77"]
    # What the client itself claims stands left of what nginx saw.
    assert curl("-H", "X-Forwarded-For: 198.51.100.66") == "UPTODATE"
    assert server.records(HOST, "A") == ["127.0.0.77"]
