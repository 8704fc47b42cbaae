"""Home Assistant's templates as ours, if they can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from jinja2 import Environment, TemplateSyntaxError, nodes

from routines.facts import Json
from routines.importer.words import NotCarried
from routines.templates.template import TemplateProblem, compile_condition, compile_template, is_template

_SYNTAX = Environment(autoescape=False)
_STATE = re.compile(r"\bstates\.([a-z][a-z0-9_]*)\.([a-z0-9_]+)\.(state|attributes\.([A-Za-z_]\w*))(?![\w.])")
_ID_TEST = re.compile(r"""\btrigger\.id\s*(==|!=)\s*(['"])([^'"]*)\2""")
_THINGS = frozenset({"this", "context", "trigger_variables"})
_NOT_OURS: Mapping[str, frozenset[str]] = {
    "trigger": frozenset(
        {
            "calendar_event",
            "description",
            "device_id",
            "for",
            "idx",
            "json",
            "now",
            "offset",
            "query",
            "tag_id",
        }
    ),
    "to_state": frozenset(
        {"context", "domain", "last_changed", "last_reported", "last_updated", "name", "object_id"}
    ),
    "zone": frozenset({"attributes", "name", "state"}),
}
"""What Home Assistant's triggers tell and the hub's do not."""


class Expressions:
    """Carry templates over.

    Parameters
    ----------
    renamed : mapping
        The ids that a trigger id has become: Home Assistant's triggers may share one, ours may not.
    """

    def __init__(self, renamed: Mapping[str, Sequence[str]]) -> None:
        self._renamed = renamed

    def condition(self, source: str) -> str:
        """Return a yes-or-no template.

        Raises
        ------
        NotCarried
            It does more than templates of routines may.
        """
        return self._checked(source, compile_condition)

    def text(self, source: str) -> str:
        """Return a text that may hold templates; see `condition`."""
        return self._checked(source, compile_template) if is_template(source) else source

    def value(self, value: Json) -> Json:
        """Return JSON of which every text may hold templates; see `condition`."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {key: self.value(item) for key, item in value.items()}
            case list():
                return [self.value(item) for item in value]
            case _:
                return value

    def _checked(self, source: str, compiled: Callable[[str], object]) -> str:
        said = _STATE.sub(_as_call, source.strip())
        said = _ID_TEST.sub(self._id_test, said)
        try:
            compiled(said)
        except TemplateProblem as problem:
            raise NotCarried(f"{problem}: {_shortened(source)}") from problem
        self._check_names(said)
        return said

    def _id_test(self, found: re.Match[str]) -> str:
        operator, _, name = found.groups()
        ids = self._renamed.get(name, [name])
        if len(ids) == 1:
            return f"trigger.id {operator} '{ids[0]}'"
        return f"trigger.id {'in' if operator == '==' else 'not in'} {list(ids)!r}"

    def _check_names(self, said: str) -> None:
        try:
            tree = _SYNTAX.parse(said if is_template(said) else f"{{{{ {said} }}}}")
        except (TemplateSyntaxError, RecursionError) as error:  # the compiler has read it already
            raise NotCarried(f"a template that is not understood: {_shortened(said)}") from error
        for name in tree.find_all(nodes.Name):
            if name.name in _THINGS:
                raise NotCarried(
                    f"a template that uses '{name.name}', which routines lack: {_shortened(said)}"
                )
        for part in tree.find_all(nodes.Getattr):
            of = part.node.name if isinstance(part.node, nodes.Name) else getattr(part.node, "attr", "")
            of = "to_state" if of == "from_state" else of
            if part.attr in _NOT_OURS.get(of, ()):
                raise NotCarried(f"a template that uses {of}.{part.attr}: {_shortened(said)}")
        self._check_ids(tree, said)

    def _check_ids(self, tree: nodes.Template, said: str) -> None:
        """Refuse other tests of ids of which there are several now, like ``trigger.id in ['a', 'b']``."""
        doubled = {name for name, ids in self._renamed.items() if len(ids) > 1}
        if not doubled:
            return
        for compare in tree.find_all(nodes.Compare):
            is_id = isinstance(compare.expr, nodes.Getattr) and compare.expr.attr == "id"
            named = {const.value for const in compare.find_all(nodes.Const)}
            if is_id and any(not named.issuperset(self._renamed[name]) for name in doubled & named):
                raise NotCarried(f"a template that tests a trigger id that several triggers have: {said}")


def _as_call(found: re.Match[str]) -> str:
    domain, name, what, attribute = found.groups()
    entity_id = f"{domain}.{name}"
    return f"states('{entity_id}')" if what == "state" else f"state_attr('{entity_id}', '{attribute}')"


def _shortened(source: str) -> str:
    line = " ".join(source.split())
    return line if len(line) <= 120 else f"{line[:117]}..."
