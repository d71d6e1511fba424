# SPDX-License-Identifier: GPL-3.0-or-later
# Collects the words of confs that may be keys. The Python files of the plugin are one module: this
# one is its first part.

import ast
import collections
import functools
import ipaddress
import os
import re
import sys
import traceback
import types
import weakref

MODULE = "sftdyn_conf"
READERS = ("get", "getone", "getall", "get_all")  # methods that read from a mapping
# The modules of classes whose objects are containers of other code's values.
HOLDERS = ("argparse", "collections", "types")
SHOWN = 6  # consecutive characters of a secret that are never shown
LEAST = 3  # a shorter match occurs by chance
MOST_WORDS = 2000  # of a conf, to search a message for; with more the message is not shown
LONG = 64  # characters; a longer word is searched for by its parts
MOST_DEPTH = 4  # of nested dicts


class Words:
    """Words to redact: `sure` are keys, of which no part is shown; `maybe` could be keys, and are
    not shown. One of ordinary words is redacted only where it stands alone."""

    def __init__(self, most=MOST_WORDS):
        self.sure, self.maybe, self.most = set(), set(), most
        self.is_of_request = False  # the words that are being added belong to a request
        self.passing = set()  # the words of a request, which are not stored

    def too_many(self):
        return len(self.sure) + len(self.maybe) > self.most

    def add(self, value, is_key):
        if is_key and isinstance(value, (tuple, frozenset)):
            for part in elements_of(value)[: self.most + 1]:
                self.add(part, True)
            return
        if isinstance(value, (int, float)):
            value = text_of_number(value)
        if isinstance(value, (bytes, bytearray)):
            value = value.decode("utf-8", "surrogateescape")
        if not isinstance(value, str) or len(value) < LEAST:
            return
        text = str.__str__(value)
        if not is_key and (
            len(text) < SHOWN or (is_plain if self.is_of_request else is_plain_word_of_conf)(text)
        ):
            return
        if self.is_of_request and text not in self.sure and text not in self.maybe:
            self.passing.add(text)
        (self.sure if is_key else self.maybe).add(text)

    def __or__(self, other):
        both = Words(max(self.most, other.most))
        both.sure, both.maybe, both.passing = (
            self.sure | other.sure,
            self.maybe | other.maybe,
            self.passing | other.passing,
        )
        return both


def text_of_number(value):
    """A number as Python writes it, even if a class of the conf overrides that. Empty for a short
    one, which occurs by chance."""
    try:
        text = int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    except ValueError:
        return ""  # too many digits for Python to convert
    return text if len(text) >= SHOWN else ""


def is_address(text):
    if not re.fullmatch(r"[0-9A-Fa-f.:]+", text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_plain(text):
    """Whether a text has several words, or is a path, an address or a host name: no key, unless it
    is used as one."""
    return (
        re.search(r"\s", text) is not None
        or text.startswith("/")
        or is_address(text)
        or re.fullmatch(r"(\*\.)?([\w-]+\.)+[A-Za-z]{2,}\.?", text) is not None
    )


@functools.lru_cache(4 * MOST_WORDS)
def is_plain_word_of_conf(text):
    return is_plain(text)


def is_of_words(text):
    """Whether a text consists of ordinary words, like the names of header fields and parts of host
    names. Within a longer word it has another meaning."""
    return all(
        re.fullmatch(r"[A-Z]{0,3}|[A-Za-z]?[a-z]{1,14}", word) for word in re.split(r"[\W_]", text)
    )


def words_of_source(tree):
    """The words of a source text. Keys of its dicts, and values that it compares with, are sure.
    Other texts may be keys, except those meant for people: messages and docstrings."""
    words = Words()

    def constants(node, is_key):
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and not (
                is_key and isinstance(part.value, str) and is_address(part.value)
            ):
                words.add(part.value, is_key)

    def visit(node, is_told=False):
        """`is_told`: the node is part of a message."""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        is_told = is_told or isinstance(node, (ast.Raise, ast.JoinedStr))
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Constant) and not is_told:
            words.add(node.value, False)
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                if key is not None:
                    constants(key, True)
        elif isinstance(node, ast.Compare):
            for part in (node.left, *node.comparators):
                if isinstance(part, (ast.Constant, ast.Tuple, ast.List, ast.Set)):
                    constants(part, True)
        elif isinstance(node, ast.Set):
            constants(node, True)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            # A name that is read, such as a header field's, is not a key; a name that is stored may
            # be one.
            if isinstance(node.ctx, ast.Store):
                constants(node.slice, True)
            children = [node.value]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in READERS
        ):
            children = [
                node.func.value,
                *node.args[1:],
                *(argument.value for argument in node.keywords),
            ]
        elif isinstance(node, ast.MatchValue):
            constants(node.value, True)
        elif isinstance(node, ast.MatchMapping):
            for key in node.keys:
                constants(key, True)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "dict"
        ):
            for argument in node.keywords:
                words.add(argument.arg, True)
        for child in children:
            visit(child, is_told)

    try:
        visit(tree)
    except RecursionError:
        constants(tree, True)
    return words


class Known:
    """A conf's modules, and the words of their source texts."""

    def __init__(self, modules, source):
        spellings_of_conf.cache_clear()
        is_plain_word_of_conf.cache_clear()
        self.folder = os.path.dirname(modules[0].__file__)
        self.modules = weakref.WeakSet(modules)
        self.names = {module.__name__ for module in modules}
        self.source, self.words = source, source.words
        self.imported = {}  # by name: the identity of each module that was searched
        for module in modules[1:]:
            self.add_source(module)

    def add_source(self, module):
        try:
            with open(module.__file__, "rb") as file:
                self.words |= words_of_source(ast.parse(file.read()))
        except (OSError, SyntaxError, ValueError, TypeError):
            pass  # without Python source; its values are found in its dicts

    def owns(self, file):
        """Whether a file belongs to the conf."""
        return isinstance(file, str) and is_beside(file, self.folder)

    def add_new_modules(self):
        """Those that a hook has imported since the conf was run."""
        for name, module in list(sys.modules.items()):
            if self.imported.get(name) == id(module):
                continue
            self.imported[name] = id(module)
            if (
                isinstance(module, types.ModuleType)
                and module not in self.modules
                and self.owns(getattr(module, "__file__", None))
            ):
                self.modules.add(module)
                self.names.add(module.__name__)
                self.add_source(module)


known_confs = weakref.WeakKeyDictionary()


def elements_of(value):
    """The elements of a container, even if a class of the conf overrides iteration."""
    for kind in (list, tuple, collections.deque, set, frozenset):
        if isinstance(value, kind):
            return list(kind.__iter__(value))
    return []


def parts_of_object(value):
    """The attributes of an object or a class."""
    try:
        parts = dict(value.__dict__)
    except Exception:
        parts = {}  # there are none, or the class hides them
    if not isinstance(value, type):
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else tuple(slots):
                if type(kind.__dict__.get(name)) is types.MemberDescriptorType:
                    try:
                        parts[name] = kind.__dict__[name].__get__(value)
                    except AttributeError:
                        pass  # it is not set
    return parts


def words_of_values(values, names, words):
    """Adds the contents of the values: of dicts, lists and sets, of functions (defaults and
    closures), of objects of the conf's own classes, and of classes whose objects only hold
    values that others store."""
    seen = set()

    def visit(value, depth):
        if isinstance(value, (str, bytes, bytearray, int, float)):
            return words.add(value, False)
        if depth > MOST_DEPTH or id(value) in seen or words.too_many():
            return None
        seen.add(id(value))
        if isinstance(value, types.MappingProxyType):
            value = dict(value)
        if isinstance(value, dict):
            for key, other in list(dict.items(value))[: words.most + 1]:
                words.add(key, True)
                visit(other, depth + 1)
        elif isinstance(value, (set, frozenset)):
            for other in elements_of(value)[: words.most + 1]:
                words.add(other, True)
        elif isinstance(value, (list, tuple, collections.deque)):
            for other in elements_of(value)[: words.most + 1]:
                visit(other, depth + 1)
        elif isinstance(value, types.ModuleType):
            if any(
                known.owns(getattr(value, "__file__", None)) for known in list(known_confs.values())
            ):
                for name, other in list(vars(value).items()):
                    if not name.startswith("__"):
                        visit(other, depth + 1)
        elif isinstance(value, functools.partial):
            visit([value.func, value.args, value.keywords], depth)
        elif isinstance(value, types.MethodType):
            visit([value.__self__, value.__func__], depth)
        elif isinstance(value, types.FunctionType):
            visit([value.__defaults__, value.__kwdefaults__], depth)
            for cell in value.__closure__ or ():
                try:
                    visit(cell.cell_contents, depth + 1)
                except ValueError:
                    pass  # it is empty
        elif (value.__module__ if isinstance(value, type) else type(value).__module__) in names:
            for name, other in list(parts_of_object(value).items())[: words.most + 1]:
                if not name.startswith("__"):
                    visit(other, depth + 1)
        elif not isinstance(value, type) and type(value).__module__ in HOLDERS:
            for name, other in list(parts_of_object(value).items())[: words.most + 1]:
                words.add(name, False)
                visit(other, depth + 1)
        return None

    for value in values:
        visit(value, 0)


def values_of_frames(traces, names):
    """The local variables of functions of the modules `names` that exceptions passed."""
    confs = list(known_confs.values())
    frames = [
        frame
        for trace in traces
        for frame, _ in traceback.walk_tb(trace)
        if frame.f_globals.get("__name__") in names
        or any(known.owns(frame.f_code.co_filename) for known in confs)
    ]
    return [
        value
        for frame in frames
        for name, value in list(frame.f_locals.items())
        if not name.startswith("__")
    ]


def known_words(traces):
    """The words of the confs in use, and of the functions that exceptions passed through."""
    words = Words()
    names = {MODULE}
    values = []
    for known in list(known_confs.values()):
        known.add_new_modules()
        words |= known.words
        names |= known.names
        for module in list(known.modules):
            values += [
                value for name, value in list(vars(module).items()) if not name.startswith("__")
            ]
    words_of_values(values, names, words)
    words.is_of_request = True
    words_of_values(values_of_frames(traces, names), names, words)
    words.is_of_request = False
    return words


def words_of_broken_conf(path, trace):
    """The words of a conf that did not run to its end."""
    words = Words(sys.maxsize)
    try:
        with open(path, "rb") as file:
            words |= words_of_source(ast.parse(file.read(), path))
    except (OSError, SyntaxError, ValueError):
        pass  # then the conf has not run, and the message is Python's
    words_of_values(values_of_frames([trace], {MODULE}), {MODULE}, words)
    return words
