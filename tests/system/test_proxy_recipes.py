# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes of docs/proxies.md, as they stand there but for ports and folders, in front of a real program."""

import os
import re
from pathlib import Path

from harness.nginx import Nginx
from harness.process import Process, await_true, free_port
from harness.sftdyn import conf
from test_listeners import curl

HOST = "home.dyn.example.org"
PAGE = Path(__file__).resolve().parents[2] / "docs/proxies.md"


def blocks(section, language):
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def start(stage, lines, name="sftdyn"):
    server = stage.dns("named")
    return server, stage.sftdyn(lines + conf(server, {"k": HOST}), listen=(), name=name)


def moves(server, port, address, errors="it passes on"):
    """A client of that address is whom the host follows."""
    await_true(lambda: curl("--interface", address, f"http://127.0.0.1:{port}/k") in ("OK", "UPTODATE"), errors)
    assert server.records(HOST, "A") == [address]


def at(lines, port):
    return lines.replace("127.0.0.1:8080", f"127.0.0.1:{port}")


def location(lines):
    return re.search(r"\{(.*)\}", lines, re.DOTALL)[1]


def haproxy(stage, lines, port, behind):
    path = stage.folder / f"haproxy-{port}.cfg"
    path.write_text("defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n" + at(lines, behind).replace("127.0.0.1:80\n", f"127.0.0.1:{port}\n"))
    stage.running.append(Process(["haproxy", "-db", "-f", path], stage.folder / f"haproxy-{port}.log"))


def test_nginx(stage):
    [lines] = blocks("nginx", "toml")
    server, program = start(stage, at(lines, 0))
    [recipe] = blocks("nginx", "nginx")
    nginx = Nginx(stage.folder, location(at(recipe, program.port))).start()
    stage.running.append(nginx)
    moves(server, nginx.port, "127.0.0.66", nginx.errors)


def test_haproxy(stage):
    [lines] = blocks("nginx", "toml")
    with_header, with_protocol = blocks("haproxy", "haproxy")
    server, program = start(stage, at(lines, 0))
    port = free_port()
    haproxy(stage, with_header, port, program.port)
    moves(server, port, "127.0.0.67")
    [lines] = blocks("haproxy", "toml")
    server, program = start(stage, at(lines, 0), name="protocol")
    port = free_port()
    haproxy(stage, with_protocol, port, program.port)
    moves(server, port, "127.0.0.68")


def test_nginx_over_a_unix_socket(stage, tmp_path):
    socket = tmp_path / "http.sock"
    [lines] = blocks("A Unix socket", "toml")
    [recipe] = blocks("A Unix socket", "nginx")
    # Here nobody can make nginx's user a member of a group: the socket is for everybody, and the folders are open.
    server, _ = start(stage, lines.replace("/run/sftdyn/http.sock", str(socket)).replace("0660", "0666"))
    for folder in [tmp_path, *tmp_path.parents]:
        if str(folder) == "/tmp":
            break
        os.chmod(folder, 0o755)
    nginx = Nginx(tmp_path, location(recipe).replace("/run/sftdyn/http.sock", str(socket))).start()
    stage.running.append(nginx)
    moves(server, nginx.port, "127.0.0.69", nginx.errors)


def test_the_headers_of_a_network(stage):
    [lines] = blocks("A content delivery network", "toml")
    server, program = start(stage, 'http = "127.0.0.1:0"\n' + lines.replace("192.0.2.0/24", "127.0.0.1"))
    assert program.get("k", headers={"CF-Connecting-IP": "198.51.100.7"}).body == "OK"
    assert server.records(HOST, "A") == ["198.51.100.7"]
