#!/usr/bin/python3
"""Makes sftdyn.toml(5) from docs/configuration.md, so that each is said once.

    man/from_markdown.py < docs/configuration.md > man/sftdyn.toml.5
"""

import re
import sys

HEAD = """.\\" Made from docs/configuration.md by man/from_markdown.py: change that, and run it again.
.Dd November 24, 2026
.Dt SFTDYN.TOML 5
.Os
.Sh NAME
.Nm sftdyn.toml
.Nd configuration of sftdyn
.Sh DESCRIPTION
"""
TAIL = """.Sh SEE ALSO
.Xr sftdyn 1
"""


def escape(text):
    text = text.replace("\\", "\\e").replace("'", "\\(aq").replace("…", "...")
    return "\\&" + text if text.startswith((".", "'")) else text


def plain(text):
    """Markdown within a line, without its marks."""
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1", text)
    return escape(text.replace("`", "").replace("**", "").strip())


def sentence(text):
    text = plain(text)
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", ":")) else text + "."


def convert(lines):
    out, paragraph, table, code = [], [], False, False

    def flush():
        if paragraph:
            if out and not out[-1].startswith((".Ss", ".Sh", ".El", ".Ed")):
                out.append(".Pp")
            out.extend(plain(line) for line in paragraph)
            paragraph.clear()

    for line in lines:
        if line.startswith("```"):
            flush()
            code = not code
            out.append(".Bd -literal -offset indent" if code else ".Ed")
        elif code:
            out.append(escape(line))
        elif line.startswith("|"):
            flush()
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if set(line) <= set("|- ") or cells[0] == "setting":
                continue
            if not table:
                out.append(".Bl -tag -width Ds")
            table = True
            out.append(".It Li " + plain(cells[0]))
            if cells[2]:
                out.append(sentence(cells[2]))
            out.append("Needed." if cells[1] == "needed" else sentence("Default: " + cells[1]))
        else:
            if table:
                out.append(".El")
                table = False
            if line.startswith("# "):
                continue
            if line.startswith("#"):
                flush()
                title = plain(line.lstrip("#"))
                out.append(".Ss " + title)
            elif line.strip():
                paragraph.append(line)
            else:
                flush()
    flush()
    if table:
        out.append(".El")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.stdout.write(HEAD + convert(sys.stdin.read().splitlines()) + TAIL)
