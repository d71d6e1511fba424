#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes manual pages from the documents, so that each is said once.

    man/from_markdown.py sftdyn.toml < docs/configuration.md > man/sftdyn.toml.5
    man/from_markdown.py sftdyn-client < docs/clients.md > man/sftdyn-client.7
"""

import re
import sys

HEAD = """.\\" Made from docs/{document} by man/from_markdown.py: change that, and run it again.
.Dd November 24, 2026
.Dt {title} {section}
.Os
.Sh NAME
.Nm {name}
.Nd {about}
.Sh DESCRIPTION
"""
PAGES = {
    "sftdyn.toml": {"document": "configuration.md", "section": 5, "about": "configuration of sftdyn"},
    "sftdyn-client": {"document": "clients.md", "section": 7, "about": "clients of the dynamic DNS server sftdyn"},
}
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
    is_name = text.startswith("`")
    text = plain(text)
    if not is_name:
        text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", ":")) else text + "."


def setting(row):
    """A row of a table of settings, without its name."""
    out = [sentence(row["meaning"])] if row["meaning"] else []
    facts = ["needed" if row["default"] == "needed" else "default: " + row["default"]]
    if row.get("range"):
        facts.append("range: " + row["range"])
    if row.get("change") == "restart":
        facts.append("a change takes effect with a restart")
    return [*out, sentence("; ".join(facts))]


ITEM = re.compile(r"(- |\d+\. )")


def items(lines):
    """A list, whose items begin with "- " or with a number."""
    out = [f".Bl -{'bullet' if lines[0].startswith('-') else 'enum'} -compact"]
    for line in lines:
        mark = ITEM.match(line)
        out.extend([".It", plain(line[mark.end():])] if mark else [plain(line)])
    return [*out, ".El"]


def convert(lines):
    out, paragraph, table, code = [], [], [], False

    def flush():
        if paragraph:
            if out and not out[-1].startswith((".Ss", ".Sh", ".El", ".Ed")):
                out.append(".Pp")
            out.extend(items(paragraph) if ITEM.match(paragraph[0]) else [plain(line) for line in paragraph])
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
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if set(line) <= set("|- "):
                continue
            if not table:
                # The first row says what the columns are.
                table = cells
                out.append(".Bl -tag -width Ds")
                continue
            out.append(".It Li " + plain(cells[0]))
            if table[1] == "default":
                out.extend(setting(dict(zip(table, cells))))
            else:
                out.extend(sentence(cell) for cell in cells[1:] if cell)
        else:
            if table:
                out.append(".El")
                table = []
            if line.startswith(("# ", "<!--")):
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
    name = sys.argv[1]
    head = HEAD.format(name=name, title=name.upper(), **PAGES[name])
    sys.stdout.write(head + convert(sys.stdin.read().splitlines()) + TAIL)
