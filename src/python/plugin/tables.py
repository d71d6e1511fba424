# SPDX-License-Identifier: GPL-3.0-or-later
# Settings of the TOML file as dicts of a conf: limits = {"changes": 100}.

import os


def settings_as_toml(module, known):
    """The lines of the tables that the conf sets, and of a list of tables; `known` has the settings
    of each. A dict without any of those is the conf's own."""
    top, tables = [], []
    for name, settings in known.items():
        value = vars(module).get(name)
        if not settings:  # not a table, but a setting itself
            if isinstance(value, (str, list, tuple)):
                top.append(f"{name} = {toml_of(value, name)}")
        elif isinstance(value, dict) and any(key in settings for key in value):
            tables += [f"[{name}]", *lines_of_table(value, name)]
        elif (
            isinstance(value, (list, tuple))
            and value
            and all(
                isinstance(each, dict) and any(key in settings for key in each) for each in value
            )
        ):
            for each in value:
                tables += [f"[[{name}]]", *lines_of_table(each, name)]
    return top + tables


def lines_of_table(table, name):
    return [f"{toml_of(str(key), name)} = {toml_of(value, name)}" for key, value in table.items()]


def toml_of(value, name):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value + 0)
    if hasattr(value, "__fspath__"):
        value = os.fspath(value)
    if isinstance(value, str):
        return (
            '"'
            + "".join(
                one if one.isprintable() and one not in '"\\' else f"\\U{ord(one):08x}"
                for one in value
            )
            + '"'
        )
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(toml_of(each, name) for each in value)}]"
    if isinstance(value, dict):
        rows = (f"{toml_of(str(key), name)} = {toml_of(each, name)}" for key, each in value.items())
        return f"{{ {', '.join(rows)} }}"
    raise Unusable(f"{name} holds a value that no setting has: {type(value).__name__}")
