# SPDX-License-Identifier: GPL-3.0-or-later
# What of a conf may not be shown: the keys that it knows. This file stands in front of support.py.

import ast
import collections
import functools
import ipaddress
import re
import sys
import traceback
import types
import weakref

MODULE = "sftdyn_conf"
READERS = ("get", "getone", "getall", "get_all")  # of a mapping
HOLDERS = ("argparse", "collections", "types")  # modules of classes whose objects only hold what is put into them
SHOWN = 6  # that many characters of a secret in a row are never shown
LEAST = 3  # a shorter secret is in every text, and anybody's guess
MOST_WORDS = 2000  # that a conf may know for a message to be searched for them; else it is not shown
MOST_DEPTH = 4  # of dicts within dicts


class Words:
    """Texts that are not for the log: `sure` are keys, of which no part is shown; `maybe` could be some, and are not shown;
    those of ordinary words not where they stand alone."""

    def __init__(self, most=MOST_WORDS):
        self.sure, self.maybe, self.most = set(), set(), most

    def too_many(self):
        return len(self.sure) + len(self.maybe) > self.most

    def add(self, value, is_key):
        if is_key and isinstance(value, (tuple, frozenset)):
            for part in elements_of(value)[:self.most + 1]:
                self.add(part, True)
            return
        if is_key and isinstance(value, (int, float)):
            value = text_of_number(value)
        if isinstance(value, (bytes, bytearray)):
            value = value.decode("utf-8", "surrogateescape")
        if not isinstance(value, str) or len(value) < LEAST:
            return
        if is_key:
            self.sure.add(str.__str__(value))
        elif len(value) >= SHOWN and not is_plain(value):
            self.maybe.add(str.__str__(value))

    def __or__(self, other):
        both = Words(max(self.most, other.most))
        both.sure, both.maybe = self.sure | other.sure, self.maybe | other.maybe
        return both


def text_of_number(value):
    """A number as Python writes it, whatever a class of the conf's makes of that; a short one is in every text."""
    try:
        text = int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    except ValueError:
        return ""  # of more digits than Python writes
    return text if len(text) >= SHOWN else ""


def is_address(text):
    if not re.fullmatch(r"[0-9A-Fa-f.:]+", text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@functools.lru_cache(4 * MOST_WORDS)
def is_plain(text):
    """Whether a text is of several words, a path, an address or a host's name, so that it is no key unless it is used as one."""
    return re.search(r"\s", text) is not None or text.startswith("/") or is_address(text) or re.fullmatch(r"(\*\.)?([\w-]+\.)+[A-Za-z]{2,}\.?", text) is not None


@functools.lru_cache(4 * MOST_WORDS)
def is_of_words(text):
    """Whether a text is of ordinary words, as the names of header fields and parts of host names are: within a longer word
    it means something else."""
    return all(re.fullmatch(r"[A-Z]{0,3}|[A-Za-z]?[a-z]{1,14}", word) for word in re.split(r"[\W_]", text))


def words_of_source(tree):
    """The words of a source text: what its dicts have as keys and what it compares with is sure; other texts may be keys,
    but for those that are there to be read: messages and docstrings."""
    words = Words()

    def constants(node, is_key):
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and not (is_key and isinstance(part.value, str) and is_address(part.value)):
                words.add(part.value, is_key)

    def visit(node, is_told=False):
        """`is_told`: it is part of a message."""
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
            # What is read by its name, as a header field is, is no key; what is stored by it may be.
            if isinstance(node.ctx, ast.Store):
                constants(node.slice, True)
            children = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
            children = [node.func.value, *node.args[1:], *(argument.value for argument in node.keywords)]
        elif isinstance(node, ast.MatchValue):
            constants(node.value, True)
        elif isinstance(node, ast.MatchMapping):
            for key in node.keys:
                constants(key, True)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
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
        self.modules = weakref.WeakSet(modules)
        self.names = {module.__name__ for module in modules}
        self.source, self.words = source, source.words
        for module in modules[1:]:
            try:
                with open(module.__file__, "rb") as file:
                    self.words |= words_of_source(ast.parse(file.read()))
            except (OSError, SyntaxError, ValueError):
                pass  # not Python's source text: what it holds is seen in its dicts


known_confs = weakref.WeakKeyDictionary()


def elements_of(value):
    """What a list or the like holds, whatever a class of the conf's makes of iterating it."""
    for kind in (list, tuple, collections.deque, set, frozenset):
        if isinstance(value, kind):
            return list(kind.__iter__(value))
    return []


def parts_of_object(value):
    """What an object or a class holds by name."""
    try:
        parts = dict(value.__dict__)
    except Exception:
        parts = {}  # it has none, or its class hides them
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
    """Adds what the values hold: dicts, lists and sets, functions with what they keep, objects of the conf's own classes, and
    of those that only hold what others put into them."""
    seen = set()

    def visit(value, depth):
        if isinstance(value, (str, bytes, bytearray)):
            return words.add(value, False)
        if depth > MOST_DEPTH or id(value) in seen or words.too_many():
            return None
        seen.add(id(value))
        if isinstance(value, types.MappingProxyType):
            value = dict(value)
        if isinstance(value, dict):
            for key, other in list(dict.items(value))[:words.most + 1]:
                words.add(key, True)
                visit(other, depth + 1)
        elif isinstance(value, (set, frozenset)):
            for other in elements_of(value)[:words.most + 1]:
                words.add(other, True)
        elif isinstance(value, (list, tuple, collections.deque)):
            for other in elements_of(value)[:words.most + 1]:
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
            for name, other in list(parts_of_object(value).items())[:words.most + 1]:
                if not name.startswith("__"):
                    visit(other, depth + 1)
        elif not isinstance(value, type) and type(value).__module__ in HOLDERS:
            for name, other in list(parts_of_object(value).items())[:words.most + 1]:
                words.add(name, False)
                visit(other, depth + 1)
        return None

    for value in values:
        visit(value, 0)


def values_of_frames(traces, names):
    """What the functions of the modules `names` know, that exceptions came through."""
    frames = [frame for trace in traces for frame, _ in traceback.walk_tb(trace) if frame.f_globals.get("__name__") in names]
    return [value for frame in frames for name, value in list(frame.f_locals.items()) if not name.startswith("__")]


def known_words(traces):
    """What the confs that are in use know."""
    words = Words()
    names = {MODULE}
    values = []
    for known in list(known_confs.values()):
        words |= known.words
        names |= known.names
        for module in list(known.modules):
            values += [value for name, value in list(vars(module).items()) if not name.startswith("__")]
    words_of_values(values + values_of_frames(traces, names), names, words)
    return words


def words_of_broken_conf(path, trace):
    """What a conf knows that did not run to its end."""
    words = Words(sys.maxsize)
    try:
        with open(path, "rb") as file:
            words |= words_of_source(ast.parse(file.read(), path))
    except (OSError, SyntaxError, ValueError):
        pass  # then it has not run, and the message is Python's own
    words_of_values(values_of_frames([trace], {MODULE}), {MODULE}, words)
    return words


@functools.lru_cache(4 * MOST_WORDS)
def spellings(secret):
    """A secret as it may stand in an exception's text."""
    from urllib.parse import quote, unquote, unquote_plus

    if re.fullmatch(r"[A-Za-z0-9_.~/-]+", secret):
        return {secret}
    plain = {secret, unquote(secret), unquote_plus(secret), quote(secret, errors="replace")}
    return plain | {shown(text)[1:-1] for text in plain for shown in (repr, ascii)}


def spelled(secrets):
    return {text for one in secrets for text in spellings(one)}


def redacted(text, secrets, words=None):
    """The text without what it holds of the secrets, and of a conf's words."""
    hidden = bytearray(len(text))

    def hide(start, size):
        hidden[start:start + size] = b"\1" * size

    def hide_all(word):
        for found in re.finditer(f"(?={re.escape(word)})", text):
            hide(found.start(), len(word))

    def hide_alone(word, beside):
        for found in re.finditer(f"(?<!{beside}){re.escape(word)}(?!{beside})", text):
            hide(found.start(), len(word))

    places = {}  # of each part of the text, by its size
    own = spelled(secrets)
    for secret in own | (spelled(words.sure) if words else set()):
        size = min(SHOWN, len(secret))
        if size < LEAST:
            continue
        if size < SHOWN and secret not in own:
            hide_alone(secret, r"\w")
            continue
        if size not in places:
            places[size] = {}
            for start in range(len(text) - size + 1):
                places[size].setdefault(text[start:start + size], []).append(start)
        for start in range(len(secret) - size + 1):
            for place in places[size].get(secret[start:start + size], ()):
                hide(place, size)
    for word in spelled(words.maybe) if words else ():
        if word not in text:
            continue
        if is_of_words(word):
            hide_alone(word, r"[\w.-]")
        else:
            hide_all(word)
    out = []
    for position, character in enumerate(text):
        if not hidden[position]:
            out.append(character)
        elif position == 0 or not hidden[position - 1]:
            out.append("[hidden]")
    return "".join(out)
