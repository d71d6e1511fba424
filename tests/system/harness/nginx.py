# SPDX-License-Identifier: GPL-3.0-or-later
"""A real nginx in front."""

from .process import Process, free_port


class Nginx:
    """Passes everything on as `location` (lines of its configuration) says."""

    def __init__(self, folder, location):
        self.folder, self.location = folder, location
        self.port = free_port()
        self.process = None

    def start(self):
        temporary = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log;
events {{ }}
http {{
    access_log off;
    {temporary}
    server {{
        listen 127.0.0.1:{self.port};
        location / {{ {self.location} }}
    }}
}}
""")
        self.process = Process(["nginx", "-e", self.folder / "error.log", "-c", self.folder / "nginx.conf"], self.folder / "nginx.log")
        return self

    def errors(self):
        path = self.folder / "error.log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        self.process.stop()
