"""What the plugin does in Python itself: it runs a conf, and tells what went wrong in one."""

import ast
import linecache
import os
import sys
import traceback
import types

MODULE = "sftdyn_conf"
MOST_LINES = 100_000
SHOWN = 6  # that many characters of a secret in a row are never shown
LEAST = 3  # a shorter secret is in every text, and anybody's guess


class HookTimeout(BaseException):
    """Raised in a hook that has not returned in time; no `except Exception` stops it."""


class Unusable(Exception):
    """A hook has returned what can't be used."""


def is_beside(path, folder):
    """Whether a module's file is one of the conf's own."""
    inside = os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), ""))
    return inside and "site-packages" not in path and "dist-packages" not in path


def lines_of_names(tree):
    """The line on which each name is set at the top level, the last one of several."""
    lines = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                lines[target.id] = node.lineno
    return lines


def run_conf(path):
    """Runs a conf as a module of its own, and returns it with the lines of its names."""
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    with open(path, "rb") as file:
        source = file.read()
    tree = ast.parse(source, path)
    code = compile(tree, path, "exec", dont_inherit=True)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    linecache.checkcache(path)
    # Modules beside the conf belong to it: they are read anew with it.
    before = {name: module for name, module in sys.modules.items()
              if name == MODULE or is_beside(getattr(module, "__file__", None) or "", folder)}
    for name in before:
        del sys.modules[name]
    module = types.ModuleType(MODULE)
    module.__file__ = path
    sys.modules[MODULE] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        sys.modules.pop(MODULE, None)
        sys.modules.update(before)
        raise
    return module, lines_of_names(tree)


def fault(error, path):
    """Why a conf did not run: a line of text, and the conf's line or 0."""
    path = os.path.abspath(path)
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"this is no Python: {error.msg}", error.lineno or 0
    line = 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == path:
            line = number
    if isinstance(error, SystemExit):
        return "it ends the program (sys.exit)", line
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return text.splitlines()[-1][:500], line


def masked(text, secrets):
    """The text without what it holds of the secrets."""
    hidden = bytearray(len(text))
    for secret in secrets:
        size = min(SHOWN, len(secret))
        if size < LEAST:
            continue
        parts = {secret[start:start + size] for start in range(len(secret) - size + 1)}
        for start in range(len(text) - size + 1):
            if text[start:start + size] in parts:
                hidden[start:start + size] = b"\1" * size
    out = []
    for position, character in enumerate(text):
        if not hidden[position]:
            out.append(character)
        elif position == 0 or not hidden[position - 1]:
            out.append("[hidden]")
    return "".join(out)


def spellings(secret):
    """A secret as it may stand in an exception's text."""
    from urllib.parse import quote, unquote, unquote_plus

    plain = {secret, unquote(secret), unquote_plus(secret), quote(secret, errors="replace")}
    return plain | {shown(text)[1:-1] for text in plain for shown in (repr, ascii)}


def told(hook, error, secrets):
    """A hook's fault for the log: its kind, and the text."""
    if isinstance(error, Unusable):
        return f"{hook}/{error}", masked(f"{hook} {error}", [s for one in secrets for s in spellings(one)])
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    frames = list(traceback.walk_tb(trace))
    line = frames[-1][1] if frames else 0
    text = "".join(traceback.format_exception(type(error), error, trace)).rstrip()
    text = masked(text, [s for one in secrets for s in spellings(one)])
    return f"{hook}/{type(error).__name__}/{line}", f"{hook} raised an exception:\n{text}"


def text_of(value, expected):
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "surrogateescape")
    raise Unusable(f"returned {type(value).__name__}: expected {expected}")


def address(value):
    """What get_ip returned, as text."""
    import ipaddress

    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(value)
    return text_of(value, "an address").strip()


def host(value):
    """What get_host returned, as text; empty: there is no such key."""
    return text_of(value, "a host name, or None").strip() if value else ""


def script(value):
    """What nsupdatecommands returned, as lines."""
    expected = "an iterable of nsupdate lines"
    if isinstance(value, (str, bytes, bytearray)):
        value = [value]
    try:
        parts = iter(value)
    except TypeError:
        raise Unusable(f"returned {type(value).__name__}: expected {expected}") from None
    lines = []
    for part in parts:
        lines.extend(text_of(part, f"{expected}, each of them a str").removesuffix("\n").split("\n"))
        if len(lines) > MOST_LINES:
            raise Unusable(f"returned more than {MOST_LINES} lines")
    return lines
