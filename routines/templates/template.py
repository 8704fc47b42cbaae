"""A template of the routine file: checked when loaded, computed when run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from routines.facts import Json
from routines.home import Home
from routines.templates.compiler import Evaluate, Refused, compile_expression
from routines.templates.functions import to_json_value
from routines.templates.values import Value, bounded, is_true, text

MAX_SOURCE = 1_024
"""Longer templates are refused."""
_MAX_DEPTH = 100

_SYNTAX = Environment(autoescape=False, trim_blocks=False)


class TemplateProblem(ValueError):
    """A template that cannot be accepted.

    Attributes
    ----------
    place : tuple of int
        Where in the template, from zero: the line, and the column of its first mark there.
    """

    def __init__(self, message: str, source: str, line: int, mark: str) -> None:
        super().__init__(message)
        lines = source.splitlines()
        self.place = (line, max(0, lines[line].find(mark)) if line < len(lines) else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScope:
    """What a template sees of a run."""

    variables: Mapping[str, Value]
    home: Home
    now: datetime


class Template:
    """A text with ``{{ … }}`` in it.

    A text that is exactly one ``{{ … }}`` keeps the type of its expression.
    """

    def __init__(self, source: str, parts: list[Evaluate]) -> None:
        self.source = source
        self._parts = parts

    def render(self, scope: RunScope) -> Json:
        """Compute the template.

        Raises
        ------
        NotKnown
            It needs a value that is not known now.
        TemplateFailed
            It was written for other values.
        """
        return to_json_value(self.value(scope))

    def value(self, scope: RunScope) -> Value:
        """Compute the template, and leave instants and missing values as they are."""
        if len(self._parts) == 1:
            return self._parts[0](scope)
        return bounded("".join(text(part(scope)) for part in self._parts))


@lru_cache(maxsize=8_192)
def compile_template(source: str) -> Template:
    """Return a text with ``{{ … }}`` as a template.

    Raises
    ------
    TemplateProblem
        It is no Jinja, or does more than templates may.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateProblem(f"the template is longer than {MAX_SOURCE} characters", source, 0, "")
    try:
        tree = _SYNTAX.parse(source)
    except TemplateSyntaxError as error:
        message = (error.message or "not understood").rstrip(".")
        raise TemplateProblem(f"template: {message}", source, error.lineno - 1, "{{") from error
    except RecursionError as error:
        raise TemplateProblem("template: nested too deeply", source, 0, "{{") from error
    return Template(source, _compiled(tree, source))


def _compiled(tree: nodes.Template, source: str) -> list[Evaluate]:
    parts: list[Evaluate] = []
    if _is_deep(tree):
        raise TemplateProblem("template: nested too deeply", source, 0, "{{")
    for statement in tree.body:
        if not isinstance(statement, nodes.Output):
            message = f"template: {{% {type(statement).__name__.lower()} %}} is not allowed; use {{{{ … }}}}"
            raise TemplateProblem(message, source, statement.lineno - 1, "{%")
        try:
            parts += [compile_expression(node) for node in statement.nodes]
        except Refused as error:
            hint = f" ({error.hint})" if error.hint else ""
            raise TemplateProblem(f"template: {error}{hint}", source, error.line - 1, "{{") from error
        except RecursionError as error:
            raise TemplateProblem("template: nested too deeply", source, 0, "{{") from error
    return parts


def _is_deep(tree: nodes.Template) -> bool:
    """Return whether computing it could go deeper than the stack allows, wherever it is computed."""
    level: list[nodes.Node] = [tree]
    for _ in range(_MAX_DEPTH):
        level = [part for one in level for part in one.iter_child_nodes()]
    return bool(level)


def is_template(value: object) -> bool:
    """Return whether a value is a text that has to be computed."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def compile_condition(source: str) -> Template:
    """Return a yes-or-no template; the braces may be left out.

    Raises
    ------
    TemplateProblem
        See `compile_template`.
    """
    return compile_template(source if is_template(source) else f"{{{{ {source} }}}}")


def check_templates(value: object) -> None:
    """Compile every template inside a JSON value, to find what is wrong before anything runs.

    Raises
    ------
    TemplateProblem
        One of them cannot be accepted.
    """
    match value:
        case str() if is_template(value):
            compile_template(value)
        case dict():
            for item in value.values():
                check_templates(item)
        case list() | tuple():
            for item in value:
                check_templates(item)


def render(value: Json, scope: RunScope) -> Json:
    """Return a JSON value with every template in it computed.

    Raises
    ------
    NotKnown, TemplateFailed
        See `Template.render`.
    """
    match value:
        case str() if is_template(value):
            return compile_template(value).render(scope)
        case dict():
            return {key: render(item, scope) for key, item in value.items()}
        case list():
            return [render(item, scope) for item in value]
        case _:
            return value


def holds(source: str, scope: RunScope) -> bool:
    """Return whether a yes-or-no template says yes.

    Raises
    ------
    NotKnown, TemplateFailed
        See `Template.render`.
    """
    return is_true(compile_condition(source).value(scope))
