# SPDX-License-Identifier: GPL-3.0-or-later
# Recognizes the forms of a conf's hooks, for `sftdyn convert`.

import ast
import re

GOES_ON = {
    "Thread",
    "Timer",
    "call_later",
    "call_at",
    "call_soon",
    "create_task",
    "ensure_future",
    "run_in_executor",
    "signal",
    "atexit",
}


def function_of(tree, name):
    """The function that the module's code defines last, or None."""
    return next(
        (
            node
            for node in reversed(tree.body)
            if isinstance(node, ast.FunctionDef) and node.name == name
        ),
        None,
    )


def plain_body(function):
    """Its statements without the docstring, or None: it is more than positional parameters and
    statements."""
    arguments = function.args
    if (
        function.decorator_list
        or arguments.vararg
        or arguments.kwarg
        or arguments.kwonlyargs
        or arguments.defaults
    ):
        return None
    body = function.body
    return (
        body[1:]
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
        else body
    )


def code_of(node, names):
    """Code as text, in which a hook's parameters have the names that the forms below have."""

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, node):
            return ast.copy_location(ast.Name(names.get(node.id, node.id), node.ctx), node)

    # Works on a copy; the round trip of ast.unparse() and parse() is exact.
    return ast.unparse(Renamed().visit(ast.parse(ast.unparse(node))))


LOOKUPS = [
    re.compile(form)
    for form in (
        r"return (\w+)\.get\(KEY(, None)?\)",
        r"if KEY in (\w+):\n    return \1\[KEY\](\nreturn None)?",
        r"if KEY not in (\w+):\n    return None\nreturn \1\[KEY\]",
        r"return \w+\[KEY\] if KEY in \w+ else None",
        r"try:\n    return \w+\[KEY\]\n"
        r"except (KeyError|LookupError):\n    (return None|return|pass)",
    )
]
FIELD = r"'((?i:X-Real-IP|X-Forwarded-For))'"
ANY_FIELD = rf"headers(\[{FIELD}\]|\.get\({FIELD}(, IP)?\))"
LOCAL = r"(?:IP == '(?P<one>[0-9a-fA-F.:]+)'|IP in [(\[{](?P<several>[0-9a-fA-F.:', ]+)[)\]}])"
FROM_PROXIES = [
    re.compile(form)
    for form in (
        rf"if {LOCAL}:\n    return {ANY_FIELD}\nreturn IP",
        rf"if {LOCAL}:\n    return {ANY_FIELD}\nelse:\n    return IP",
        rf"return {ANY_FIELD} if {LOCAL} else IP",
        rf"if {LOCAL} and {FIELD} in headers:\n    return {ANY_FIELD}\nreturn IP",
        rf"if {LOCAL}:\n    IP = {ANY_FIELD}\nreturn IP",
    )
]
FROM_EVERYBODY = [
    re.compile(form)
    for form in (
        rf"return headers\.get\({FIELD}, IP\)",
        rf"return headers\.get\({FIELD}\) or IP",
        rf"if {FIELD} in headers:\n    return headers\[{FIELD}\]"
        r"(\nreturn IP|\nelse:\n    return IP)",
        rf"return headers\[{FIELD}\] if {FIELD} in headers else IP",
    )
]


def form_of_get_host(body, parameters):
    code = "\n".join(code_of(node, {parameters[0]: "KEY"}) for node in body)
    return ("lookup",) if any(form.fullmatch(code) for form in LOOKUPS) else ()


def form_of_get_ip(body, parameters):
    code = "\n".join(
        code_of(node, {parameters[0]: "IP", parameters[1]: "headers"}) for node in body
    )
    if code == "return IP":
        return ("source",)
    for form in FROM_PROXIES:
        if found := form.fullmatch(code):
            return (
                "proxies",
                re.search(FIELD, code)[1],
                *re.findall(r"[0-9a-fA-F.:]+", found["one"] or found["several"]),
            )
    if any(form.fullmatch(code) for form in FROM_EVERYBODY):
        return "everybody", re.search(FIELD, code)[1]
    return ()


# The nodes that a script may use that only replaces the address: it depends on host, address and
# constants only.
PLAIN_NODES = (
    ast.Import,
    ast.ImportFrom,
    ast.alias,
    ast.Assign,
    ast.AugAssign,
    ast.If,
    ast.Return,
    ast.Expr,
    ast.Yield,
    ast.YieldFrom,
    ast.IfExp,
    ast.Call,
    ast.Attribute,
    ast.Name,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.BinOp,
    ast.Mod,
    ast.Add,
    ast.Compare,
    ast.Eq,
    ast.In,
    ast.NotIn,
    ast.IsNot,
    ast.Is,
    ast.NotEq,
    ast.keyword,
    ast.Load,
    ast.Store,
    ast.Dict,
    ast.Subscript,
)
PLAIN_NAMES = {
    "str",
    "int",
    "isinstance",
    "ipaddress",
    "ip_address",
    "IPv4Address",
    "IPv6Address",
    "format",
}
PLAIN_ATTRIBUTES = {
    "version",
    "format",
    "append",
    "join",
    "ip_address",
    "IPv4Address",
    "IPv6Address",
    "extend",
}
PLAIN_COMPARED = {":", ".", 4, 6, "A", "AAAA"}


def form_of_commands(body, parameters, constants):
    if any(
        isinstance(node, ast.Name) and node.id == parameters[2]
        for each in body
        for node in ast.walk(each)
    ):
        return ()
    nodes = [node for each in body for node in ast.walk(each)]
    own = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in nodes:
        if not isinstance(node, PLAIN_NODES):
            return ()
        if (
            isinstance(node, ast.Name)
            and node.id not in own | PLAIN_NAMES | set(parameters) | constants
        ):
            return ()
        if isinstance(node, ast.Attribute) and node.attr not in PLAIN_ATTRIBUTES:
            return ()
        if isinstance(node, ast.Compare) and not all(
            part.value in PLAIN_COMPARED
            for part in (node.left, *node.comparators)
            if isinstance(part, ast.Constant)
        ):
            return ()
        if isinstance(node, ast.Compare) and any(
            isinstance(part, ast.Name) and part.id == parameters[0]
            for part in (node.left, *node.comparators)
        ):
            return ()
        if (
            isinstance(node, (ast.Import, ast.ImportFrom))
            and (getattr(node, "module", None) or node.names[0].name) != "ipaddress"
        ):
            return ()
    return ("script",)


def forms(module):
    """For each hook that the conf has: its name, and the words of its form (none: its code is its
    own); and what else goes on."""
    with open(module.__file__, "rb") as file:
        tree = ast.parse(file.read())
    constants = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    out = []
    for name, parameters, form_of in (
        ("get_ip", 3, form_of_get_ip),
        ("get_host", 2, form_of_get_host),
        ("nsupdatecommands", 3, lambda body, names: form_of_commands(body, names, constants)),
    ):
        if not callable(getattr(module, name, None)):
            continue
        function = function_of(tree, name)
        names = (
            [argument.arg for argument in function.args.posonlyargs + function.args.args]
            if function
            else []
        )
        body = plain_body(function) if len(names) == parameters else None
        out.append((name, *(form_of(body, names) if body else ())))
    top = [
        node
        for each in tree.body
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        for node in ast.walk(each)
    ]
    if any(getattr(node, "id", getattr(node, "attr", None)) in GOES_ON for node in top):
        out.append(("goes on",))
    return out
