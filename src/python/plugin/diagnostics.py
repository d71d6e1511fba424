# SPDX-License-Identifier: GPL-3.0-or-later
# Messages about exceptions of a conf, redacted.

import builtins
import keyword
import linecache
import os
import re
import sys
import sysconfig
import threading
import traceback
import types
import warnings

MOST_EXCEPTIONS = 5  # maximum in a chain or group
MOST_FRAMES = 20
LONGEST = 500  # characters of a message


def message_of_syntax(error):
    """The message of a syntax error, without the parts that it quotes from the source."""

    def hide(found):
        inner = found[2]
        return (
            found[0]
            if len(inner) < LEAST or keyword.iskeyword(inner)
            else f"{found[1]}[hidden]{found[1]}"
        )

    return re.sub(r": \w{3,}$", ": [hidden]", re.sub(r"(['\"])(.*?)\1", hide, str(error.msg)))


def names_of_python():
    """The names that are public: Python's own, and the settings of a conf."""
    kinds = [
        kind for kind in [*vars(builtins).values(), *vars(types).values()] if isinstance(kind, type)
    ] + [re.Match, re.Pattern]
    names = {
        *keyword.kwlist,
        *keyword.softkwlist,
        *vars(builtins),
        *sys.stdlib_module_names,
        *SETTINGS,
        *READERS,
        "sftdyn",
        "Headers",
        MODULE,
    }
    for kind in kinds:
        names |= {kind.__name__, *dir(kind)}
    return frozenset(names)


def is_common(name):
    return len(name) < LEAST or all(part in NAMES for part in name.split("."))


def without_names(error, text):
    """The message of an exception about a name, redacted: a key without its quotation marks is a
    name to Python."""
    name = getattr(error, "name", None)
    if isinstance(name, str) and not is_common(name):
        text = text.replace(name, "[hidden]")

    def hide(found):
        return found[0] if is_common(found[2]) else f"{found[1]}[hidden]{found[1]}"

    return re.sub(r"(?<!\w)(['\"])(.*?)\1(?!\w)", hide, text)


NAMES = names_of_python()
NAMING = (NameError, AttributeError, ImportError, TypeError)  # their messages quote names


def message_of(error, secrets, words):
    """An exception in one line, without secrets."""
    kind = type(error).__qualname__
    if type(error).__module__ not in ("builtins", "__main__"):
        kind = f"{type(error).__module__}.{kind}"
    if isinstance(error, SyntaxError):
        where = f" ({os.path.basename(error.filename or '?')}, line {error.lineno or 0})"
        return f"{kind}: {redacted(message_of_syntax(error), secrets, words)}{where}"
    try:
        text = str(error)
        if isinstance(error, NAMING):
            text = without_names(error, text)
    except Exception:
        return f"{kind}: (its text can't be told)"
    if not text:
        return kind
    if words.too_many():
        return (
            f"{kind}: (its text is not shown: the conf knows too many keys to look for them in it)"
        )
    # Further lines may quote the input of a parser.
    lines = redacted(text[: 2 * LONGEST], secrets, words).splitlines() or [""]
    more = len(lines) > 1 or len(lines[0]) > LONGEST or len(text) > 2 * LONGEST
    return f"{kind}: {lines[0][:LONGEST]}{' …' if more else ''}"


def lines_of_trace(trace):
    """The calls that led to an exception, without source lines: these may contain keys."""
    lines = [
        f'  File "{frame.f_code.co_filename}", line {number}, in {frame.f_code.co_name}'
        for frame, number in traceback.walk_tb(trace)
    ]
    if len(lines) <= MOST_FRAMES:
        return lines
    left_out = f"  … {len(lines) - MOST_FRAMES} more …"
    return [*lines[: MOST_FRAMES // 2], left_out, *lines[-MOST_FRAMES // 2 :]]


def chain_of(error):
    """The chain of exceptions that led to `error`, the first one first, and Python's phrases
    between them."""
    chain, between = [error], []
    while len(chain) < MOST_EXCEPTIONS:
        first = chain[0]
        if first.__cause__ is not None:
            before, words = (
                first.__cause__,
                "The above exception was the direct cause of the following exception:",
            )
        else:
            before, words = (
                None if first.__suppress_context__ else first.__context__
            ), "During handling of the above exception, another exception occurred:"
        if before is None or any(before is one for one in chain):
            break
        chain.insert(0, before)
        between.insert(0, words)
    return chain, between


def story(error, trace, secrets):
    """A traceback for the log: files, lines and functions, and the message without secrets."""
    chain, between = chain_of(error)
    traces = [trace if one is error else one.__traceback__ for one in chain]
    words = known_words(traces)
    out = []
    for number, (one, its_trace) in enumerate(zip(chain, traces)):
        if number:
            out += ["", between[number - 1], ""]
        if its_trace is not None:
            out += ["Traceback (most recent call last):", *lines_of_trace(its_trace)]
        out.append(message_of(one, secrets, words))
        for part in (
            getattr(one, "exceptions", ())[:MOST_EXCEPTIONS]
            if isinstance(one, BaseException)
            else ()
        ):
            if isinstance(part, BaseException):
                out.append("  + " + message_of(part, secrets, words))
    return "\n".join(out)


def fault(error, path):
    """Why a conf did not run: one line of text, and the line in the conf or 0."""
    path = os.path.abspath(path)
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"this is no Python: {message_of_syntax(error)}", error.lineno or 0
    line = 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == path:
            line = number
    if isinstance(error, SystemExit):
        return "it ends the program (sys.exit)", line
    words = words_of_broken_conf(path, error.__traceback__)
    return message_of(error, (), words), line


def fault_of_value(error, path):
    """As `fault`, for a conf that has run, but whose settings can't be read."""
    path = os.path.abspath(path)
    lines = [
        number
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == path
    ]
    if isinstance(error, SystemExit):
        return "it ends the program (sys.exit)", lines[-1] if lines else 0
    return message_of(error, (), known_words([error.__traceback__])), lines[-1] if lines else 0


def shown(text, secrets):
    """A hook's result for the log: secrets, and what the confs know as keys, are redacted."""
    words = known_words([])
    return "[hidden]" if words.too_many() else redacted(text, secrets, words)


def told(hook, error, secrets):
    """A hook's failure for the log: its kind and its text."""
    if isinstance(error, Unusable):
        return f"{hook}/{error}", redacted(f"{hook} {error}", secrets)
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    frames = list(traceback.walk_tb(trace))
    line = frames[-1][1] if frames else 0
    return (
        f"{hook}/{type(error).__name__}/{line}",
        f"{hook} raised an exception:\n{story(error, trace, secrets)}",
    )


# --- Python's own messages, which may quote source lines ---

LIBRARIES = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib"))
lines_of_file = linecache.getlines


def getlines(filename, module_globals=None):
    """The lines of a library's file, none of any other. Tracebacks, warnings and `logging` read
    lines from here."""
    is_library = (
        filename.startswith((*LIBRARIES, "<"))
        or "site-packages" in filename
        or "dist-packages" in filename
    )
    return lines_of_file(filename, module_globals) if is_library else []


def warning(message, category, filename, lineno, line=None):
    return (
        f"{filename}:{lineno}: {category.__name__}: {redacted(str(message), (), known_words(()))}\n"
    )


def say(what, error, trace):
    if error is not None:
        print(f"{what}:\n{story(error, trace, ())}", file=sys.stderr, flush=True)


def say_of_thread(arguments):
    if not isinstance(arguments.exc_value, SystemExit):
        name = arguments.thread.name if arguments.thread else "?"
        say(f"an exception ended the thread {name}", arguments.exc_value, arguments.exc_traceback)


linecache.getlines = getlines
warnings.formatwarning = warning
sys.excepthook = lambda kind, error, trace: say("an exception was not caught", error, trace)
sys.unraisablehook = lambda what: say(
    "an exception was ignored", what.exc_value, what.exc_traceback
)
threading.excepthook = say_of_thread
