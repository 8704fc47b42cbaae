"""From Jinja's syntax tree to functions, node by listed node; what is not listed is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from jinja2 import nodes

from routines.templates.functions import FILTERS, FUNCTIONS, METHODS, TESTS, TIME_FIELDS, equal
from routines.templates.values import (
    Missing,
    NotKnown,
    Scope,
    TemplateFailed,
    Unknown,
    Value,
    bounded,
    is_something,
    known,
    number,
    shown,
    text,
)

Evaluate = Callable[[Scope], Value]
Build = Callable[[nodes.Expr], Evaluate]


class Refused(Exception):
    """A template holds something that templates may not do."""

    def __init__(self, node: nodes.Node, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = node.lineno
        self.hint = hint


def compile_expression(node: nodes.Expr) -> Evaluate:
    """Return a function that computes an expression.

    It ends after at most as many steps as the tree has nodes: there are no loops and no calls but the listed
    ones.

    Raises
    ------
    Refused
        The tree holds a node, name, filter or call that is not listed.
    """
    build = _BUILDERS.get(type(node))
    if build is None:
        word = type(node).__name__.lower()
        raise Refused(node, f"'{word}' is not allowed in templates", "use comparisons, filters and if-else")
    return build(node)


def _constant(node: nodes.Const) -> Evaluate:
    try:
        value: Value = bounded(node.value)
    except TemplateFailed as error:
        raise Refused(node, str(error)) from error
    return lambda _scope: value


def _text(node: nodes.TemplateData) -> Evaluate:
    words = str(node.data)
    return lambda _scope: words


def _name(node: nodes.Name) -> Evaluate:
    name = node.name
    if name in FUNCTIONS:
        raise Refused(node, f"'{name}' is a function", f"call it: {name}(...)")
    return lambda scope: scope.variables.get(name, Missing(f"'{name}'"))


def _item(of: Evaluate, key: Evaluate, path: str) -> Evaluate:
    def get(scope: Scope) -> Value:
        value, wanted = of(scope), known(key(scope))
        if isinstance(value, Missing | Unknown):
            return Missing(f"{path} (because {value.what})") if isinstance(value, Missing) else value
        if isinstance(value, Mapping) and isinstance(wanted, str):
            return value[wanted] if wanted in value else Missing(path)
        if isinstance(value, datetime) and isinstance(wanted, str) and wanted in TIME_FIELDS:
            return TIME_FIELDS[wanted](value)
        if isinstance(value, list | tuple | str) and isinstance(wanted, int):
            return value[wanted] if -len(value) <= wanted < len(value) else Missing(path)
        return Missing(path)

    return get


def _path(node: nodes.Expr) -> str:
    match node:
        case nodes.Name():
            return str(node.name)
        case nodes.Getattr():
            return f"{_path(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=value)):
            return f"{_path(node.node)}[{value!r}]"
        case _:
            return "(...)"


def _attribute(node: nodes.Getattr) -> Evaluate:
    if node.attr.startswith("_"):
        raise Refused(node, f"'.{node.attr}' is not allowed in templates")
    if isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS:
        hint = "write states('light.kitchen')" if node.node.name == "states" else ""
        raise Refused(node, f"'{node.node.name}' is a function and has no '.{node.attr}'", hint)
    key = node.attr
    return _item(compile_expression(node.node), lambda _scope: key, _path(node))


def _getitem(node: nodes.Getitem) -> Evaluate:
    if isinstance(node.arg, nodes.Slice):
        return _slice(node, node.arg)
    return _item(compile_expression(node.node), compile_expression(node.arg), _path(node))


def _slice(node: nodes.Getitem, cut: nodes.Slice) -> Evaluate:
    if cut.step is not None:
        raise Refused(node, "slices with a step are not allowed in templates")
    of = compile_expression(node.node)
    ends = [None if end is None else compile_expression(end) for end in (cut.start, cut.stop)]

    def get(scope: Scope) -> Value:
        value = known(of(scope))
        start, stop = (None if end is None else int(number(end(scope), "a slice")) for end in ends)
        if isinstance(value, list | tuple | str):
            return value[start:stop]
        raise TemplateFailed(f"{shown(value)} cannot be cut")

    return _guarded(get, "[:]")


def _call(node: nodes.Call) -> Evaluate:
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Refused(node, "calls take plain arguments only", "leave the names of arguments away")
    arguments = [compile_expression(argument) for argument in node.args]
    if isinstance(node.node, nodes.Getattr) and node.node.attr in METHODS:
        of, method = compile_expression(node.node.node), METHODS[node.node.attr]
        return _guarded(lambda scope: method(of(scope), *(one(scope) for one in arguments)), node.node.attr)
    if isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS:
        function = FUNCTIONS[node.node.name]
        return _guarded(lambda scope: function(scope, *(one(scope) for one in arguments)), node.node.name)
    name = _path(node.node)
    raise Refused(node, f"'{name}(...)' cannot be called in templates", _near(name, FUNCTIONS))


def _guarded(evaluate: Evaluate, name: str) -> Evaluate:
    """Turn a wrong number or kind of arguments into the author's fault that it is."""

    def checked(scope: Scope) -> Value:
        try:
            return bounded(evaluate(scope))
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise TemplateFailed(f"'{name}' cannot take these values ({error})") from error

    return checked


def _filter(node: nodes.Filter) -> Evaluate:
    if node.node is None or node.dyn_args or node.dyn_kwargs:
        raise Refused(node, f"the filter '{node.name}' has nothing to work on")
    if node.name not in FILTERS:
        raise Refused(node, f"the filter '{node.name}' is not allowed", _near(node.name, FILTERS))
    function, of = FILTERS[node.name], compile_expression(node.node)
    arguments = [compile_expression(argument) for argument in node.args]
    arguments += [compile_expression(pair.value) for pair in node.kwargs if pair.key == "default"]
    if any(pair.key != "default" for pair in node.kwargs):
        raise Refused(node, f"the filter '{node.name}' takes no named values but default")
    if node.name in ("default", "d"):
        return _with_default(of, arguments, function)
    return _guarded(lambda scope: function(of(scope), *(one(scope) for one in arguments)), node.name)


def _with_default(of: Evaluate, arguments: Sequence[Evaluate], function: Callable[..., Value]) -> Evaluate:
    """Let ``default`` also stand in where its value could not be computed for want of a value."""

    def value(scope: Scope) -> Value:
        try:
            found = of(scope)
        except NotKnown as error:
            found = Missing(str(error))
        return function(found, *(one(scope) for one in arguments))

    return value


def _test(node: nodes.Test) -> Evaluate:
    if node.name not in TESTS or node.args or node.kwargs:
        raise Refused(node, f"the test 'is {node.name}' is not allowed", _near(node.name, TESTS))
    test, of = TESTS[node.name], compile_expression(node.node)
    return lambda scope: test(of(scope))


def _near(name: str, among: Mapping[str, object]) -> str:
    close = get_close_matches(name, among, n=1)
    return f"did you mean '{close[0]}'?" if close else f"allowed are {', '.join(sorted(among))}"


def _either(node: nodes.And | nodes.Or) -> Evaluate:
    """Kleene's logic: what is not known matters only where it could change the answer."""
    left, right = compile_expression(node.left), compile_expression(node.right)
    decides = isinstance(node, nodes.Or)

    def evaluate(scope: Scope) -> Value:
        try:
            first = left(scope)
            if is_something(first) is decides:
                return first
        except NotKnown:
            second = right(scope)
            if is_something(second) is decides:
                return second
            raise
        return right(scope)

    return evaluate


def _negation(node: nodes.Not) -> Evaluate:
    of = compile_expression(node.node)
    return lambda scope: not is_something(of(scope))


def _condition(node: nodes.CondExpr) -> Evaluate:
    test, yes = compile_expression(node.test), compile_expression(node.expr1)
    if node.expr2 is None:
        raise Refused(node, "'if' inside a template needs an 'else'")
    no = compile_expression(node.expr2)
    return lambda scope: yes(scope) if is_something(test(scope)) else no(scope)


def _list(node: nodes.List | nodes.Tuple) -> Evaluate:
    parts = [compile_expression(item) for item in node.items]
    return lambda scope: [part(scope) for part in parts]


def _mapping(node: nodes.Dict) -> Evaluate:
    pairs = [(compile_expression(pair.key), compile_expression(pair.value)) for pair in node.items]
    return lambda scope: {text(key(scope)): value(scope) for key, value in pairs}


def _joined(node: nodes.Concat) -> Evaluate:
    parts = [compile_expression(item) for item in node.nodes]
    return lambda scope: bounded("".join(text(part(scope)) for part in parts))


def _compare(node: nodes.Compare) -> Evaluate:
    first = compile_expression(node.expr)
    steps = [(_COMPARISONS[operand.op], compile_expression(operand.expr)) for operand in node.ops]

    def evaluate(scope: Scope) -> Value:
        left = first(scope)
        for compare, operand in steps:
            right = operand(scope)
            if not compare(left, right):
                return False
            left = right
        return True

    return evaluate


def _ordered(compare: Callable[[float | str, float | str], bool]) -> Callable[[Value, Value], bool]:
    def ordered(left: Value, right: Value) -> bool:
        left, right = known(left), known(right)
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)
        if isinstance(left, datetime) and isinstance(right, datetime):
            return compare(left.timestamp(), right.timestamp())
        return compare(number(left, "a comparison"), number(right, "a comparison"))

    return ordered


def _contains(part: Value, whole: Value) -> bool:
    whole = known(whole)
    if isinstance(whole, str):
        return text(part) in whole
    if isinstance(whole, Mapping):
        return text(part) in whole
    if isinstance(whole, list | tuple):
        return any(equal(part, item) for item in whole)
    raise TemplateFailed(f"{shown(whole)} holds nothing to look for")


_COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = {
    "eq": equal,
    "ne": lambda left, right: not equal(left, right),
    "lt": _ordered(lambda left, right: left < right),  # type: ignore[operator]
    "lteq": _ordered(lambda left, right: left <= right),  # type: ignore[operator]
    "gt": _ordered(lambda left, right: left > right),  # type: ignore[operator]
    "gteq": _ordered(lambda left, right: left >= right),  # type: ignore[operator]
    "in": _contains,
    "notin": lambda part, whole: not _contains(part, whole),
}


def _arithmetic(compute: Callable[[float, float], float]) -> Build:
    def build(node: nodes.Expr) -> Evaluate:
        assert isinstance(node, nodes.BinExpr)
        for operand in (node.left, node.right):
            if isinstance(operand, nodes.Const) and isinstance(operand.value, str):
                raise Refused(operand, "a text cannot be reckoned with", "join texts with ~")
        left, right = compile_expression(node.left), compile_expression(node.right)

        def evaluate(scope: Scope) -> Value:
            one, other = number(left(scope), "arithmetic"), number(right(scope), "arithmetic")
            try:
                return bounded(compute(one, other))
            except ZeroDivisionError:
                raise TemplateFailed("division by zero") from None
            except OverflowError:
                raise TemplateFailed("a number is too large") from None

        return evaluate

    return build


def _sign(node: nodes.Neg | nodes.Pos) -> Evaluate:
    of, factor = compile_expression(node.node), -1 if isinstance(node, nodes.Neg) else 1
    return lambda scope: factor * number(of(scope), "a sign")


_BUILDERS: Mapping[type[nodes.Node], Callable[..., Evaluate]] = {
    nodes.Const: _constant,
    nodes.TemplateData: _text,
    nodes.Name: _name,
    nodes.Getattr: _attribute,
    nodes.Getitem: _getitem,
    nodes.Call: _call,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.And: _either,
    nodes.Or: _either,
    nodes.Not: _negation,
    nodes.CondExpr: _condition,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _mapping,
    nodes.Concat: _joined,
    nodes.Compare: _compare,
    nodes.Add: _arithmetic(lambda a, b: a + b),
    nodes.Sub: _arithmetic(lambda a, b: a - b),
    nodes.Mul: _arithmetic(lambda a, b: a * b),
    nodes.Div: _arithmetic(lambda a, b: a / b),
    nodes.FloorDiv: _arithmetic(lambda a, b: a // b),
    nodes.Mod: _arithmetic(lambda a, b: a % b),
    nodes.Neg: _sign,
    nodes.Pos: _sign,
}
