# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a conf, and converts the arguments and results of its hooks.

import ast
import dis
import ipaddress
import itertools
import linecache
import os
import sys
import types

MOST_LINES = 100_000
MOST_PAIRS = 100_000
SETTINGS = (
    "http",
    "https",
    "key",
    "cert",
    "nskeyfile",
    "verbose",
    "quiet",
    "debug",
    "hook_threads",
    "CLIENTS",
    "get_ip",
    "get_host",
    "nsupdatecommands",
)


class HookTimeout(BaseException):
    """Raised in a hook that has not returned in time; `except Exception` does not catch it."""


class Unusable(Exception):
    """A hook has returned an unusable value."""


def is_beside(path, folder):
    """Whether a module's file belongs to the conf: it is in the conf's folder."""
    inside = os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), ""))
    return inside and "site-packages" not in path and "dist-packages" not in path


def lines_of_names(tree):
    """The line on which each name is set at the top level; of several the last."""
    lines = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                lines[target.id] = node.lineno
    return lines


class Source:
    """A conf's code, to be run again, the lines of its names, and the words of its text. They are
    numbered in the order in which they were read."""

    numbers = itertools.count(1)

    def __init__(self, path, tree):
        self.number = next(self.numbers)
        self.path, self.code = path, compile(tree, path, "exec", dont_inherit=True)
        self.lines, self.words = lines_of_names(tree), words_of_source(tree)


def run_conf(path):
    """Runs a conf as a module of its own, and returns it with the lines of its names."""
    path = os.path.abspath(path)
    with open(path, "rb") as file:
        text = file.read()
    values_of_hosts.clear()
    return run_source(Source(path, ast.parse(text, path)))


def run_anew(module):
    """Runs the code of that conf again: what `run_conf` returns, of another module."""
    return run_source(known_confs[module].source)


# The source of the conf whose modules are in sys.modules, and the modules of the other confs in
# use: a reload may be refused after its conf was run, and the old conf continues with its own
# modules.
active = None
modules_of = weakref.WeakKeyDictionary()


def set_aside(folder):
    """Takes the conf's module, and those in its folder, out of sys.modules, and returns them by
    their names."""
    taken = {
        name: module
        for name, module in sys.modules.items()
        if name == MODULE or is_beside(getattr(module, "__file__", None) or "", folder)
    }
    for name in taken:
        del sys.modules[name]
    return taken


def keep_modules(modules):
    """For the conf that is active. Its own module is not among them: that would keep the conf for
    ever."""
    if active is not None:
        modules_of[active] = {name: module for name, module in modules.items() if name != MODULE}


def activate(source, module):
    """Puts the modules of that conf into sys.modules, before its hooks are called."""
    global active
    own = modules_of.pop(source, {})
    if active is not None:
        keep_modules(set_aside(os.path.dirname(active.path)))
    sys.modules.update(own)
    sys.modules[MODULE] = module
    active = source


def run_source(source):
    global active
    folder = os.path.dirname(source.path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    linecache.checkcache(source.path)
    # Modules in the conf's folder belong to it, and are imported again with it.
    before = set_aside(folder)
    module = types.ModuleType(MODULE)
    module.__file__ = source.path
    sys.modules[MODULE] = module
    try:
        give_event_loop(source.number)
        exec(source.code, module.__dict__)
    except BaseException:
        set_aside(folder)
        sys.modules.update(before)
        raise
    if active is not source:
        keep_modules(before)
    active = source
    beside = [
        other
        for name, other in sys.modules.items()
        if name != MODULE and is_beside(getattr(other, "__file__", None) or "", folder)
    ]
    known_confs[module] = Known([module, *beside], source)
    return module, source.lines, source


def is_table_of_hosts(value):
    return (
        type(value) is dict
        and len(value) > 0
        and all(type(one) is str for row in value.items() for one in row)
        and all("." in host for host in value.values())
    )


def modules_beside(module):
    """The file of each module in the conf's folder, and whether it has a table of hosts."""
    files = {}
    for other in known_confs[module].modules:
        path = getattr(other, "__file__", None)
        if other is not module and isinstance(path, str):
            files[path] = any(is_table_of_hosts(value) for value in list(vars(other).values()))
    return sorted(files.items())


# --- arguments and results of hooks ---


# A hook that uses one of these may read all of its variables.
SEES_ALL = {
    "locals",
    "vars",
    "eval",
    "exec",
    "_getframe",
    "_current_frames",
    "currentframe",
    "stack",
}


def reads(hook, position):
    """Whether a hook uses its argument at `position`; also true when that can't be determined."""
    if not isinstance(hook, types.FunctionType) or position >= hook.__code__.co_argcount:
        return True
    code = hook.__code__
    name = code.co_varnames[position]
    if name in code.co_cellvars or SEES_ALL & set(code.co_names):
        return True
    for instruction in dis.get_instructions(code):
        if "LOAD_FAST" in instruction.opname:
            loaded = (
                instruction.argval
                if isinstance(instruction.argval, tuple)
                else (instruction.argval,)
            )
            if name in loaded:
                return True
    return False


def text_of(value, expected):
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "surrogateescape")
    raise Unusable(f"returned {type(value).__name__}: expected {expected}")


def address(value):
    """What get_ip or get_host returned, as text; None: it is the conf's own."""
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)) and not hasattr(
        value, "network"
    ):
        return str(value)
    return text_of(value, "a text").strip() if isinstance(value, (str, bytes, bytearray)) else None


def script(value):
    """What nsupdatecommands returned, as an iterator."""
    if isinstance(value, (str, bytes, bytearray)):
        return iter([value])
    try:
        return iter(value)
    except TypeError:
        raise Unusable(f"returned {type(value).__name__}: expected {EXPECTED}") from None


def line(part, number):
    """A line of it, or several in one text."""
    if number > MOST_LINES:
        raise Unusable(f"returned more than {MOST_LINES} lines")
    return text_of(part, f"{EXPECTED}, each of them a str")


EXPECTED = "an iterable of nsupdate lines"
# By the result of get_host: the last result of get_ip, and the number of the pair.
values_of_hosts = {}
pair_numbers = itertools.count(1)


def is_run_once():
    """Whether no other thread runs the conf. The hosts of another may have classes of its own, and
    then compare as unequal."""
    return sum(known.source is active for known in list(known_confs.values())) < 2


def pair_number(host, value):
    known = values_of_hosts.get(host)
    if known is None and value is None and is_run_once():
        return 0
    if known is None or not (known[0] is value or known[0] == value):
        if len(values_of_hosts) >= MOST_PAIRS:
            values_of_hosts.clear()  # their scripts will be sent again
        known = values_of_hosts[host] = (value, next(pair_numbers))
    return known[1]


def forget_pair(host):
    values_of_hosts.pop(host, None)
