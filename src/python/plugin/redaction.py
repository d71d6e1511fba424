# SPDX-License-Identifier: GPL-3.0-or-later
# Redacts the keys that a conf knows.

import functools
import re


def spellings(secret):
    """The forms in which an exception's text may contain a secret."""
    from urllib.parse import quote, unquote, unquote_plus

    if re.fullmatch(r"[A-Za-z0-9_.~/-]+", secret):
        return {secret}
    plain = {secret, unquote(secret), unquote_plus(secret), quote(secret, errors="replace")}
    return plain | {shown(text)[1:-1] for text in plain for shown in (repr, ascii)}


def spelled(secrets):
    return {text for one in secrets for text in spellings(one)}


@functools.lru_cache(4 * MOST_WORDS)
def spellings_of_conf(word):
    return spellings(word)


def spelled_words(words, kind):
    """Words of one kind ("sure", "maybe") as they may stand in a text. Only the conf's own are
    remembered: a request's would fill the memory, and stay there."""
    return {
        text
        for word in getattr(words, kind)
        for text in (spellings(word) if word in words.passing else spellings_of_conf(word))
    }


def redacted(text, secrets, words=None):
    """The text with parts of the secrets, and of a conf's words, redacted."""
    hidden = bytearray(len(text))

    def hide(start, size):
        hidden[start : start + size] = b"\1" * size

    def hide_all(word):
        for found in re.finditer(f"(?={re.escape(word)})", text):
            hide(found.start(), len(word))

    def hide_alone(word, beside):
        for found in re.finditer(f"(?<!{beside}){re.escape(word)}(?!{beside})", text):
            hide(found.start(), len(word))

    # One pass over the text for all secrets together, so that the cost is linear in the length of
    # the request.
    parts = {}  # parts of secrets, by their size
    own = spelled(secrets)
    maybe = spelled_words(words, "maybe") if words else set()
    # Searching for long words as a whole would cost the product of both lengths.
    long = {word for word in maybe if len(word) > LONG}
    for secret in own | (spelled_words(words, "sure") if words else set()) | long:
        size = min(SHOWN, len(secret))
        if size < LEAST:
            continue
        if size < SHOWN and secret not in own:
            hide_alone(secret, r"\w")
            continue
        parts.setdefault(size, set()).update(
            secret[start : start + size] for start in range(len(secret) - size + 1)
        )
    for size, known in parts.items():
        for start in range(len(text) - size + 1):
            if text[start : start + size] in known:
                hide(start, size)
    for word in maybe - long:
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
