"""What a template speaks of, and what a simple one demands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

from routines.templates.template import is_template

_SYNTAX = Environment(autoescape=False)
_OF_STATES = frozenset({"states", "is_state", "state_attr", "is_state_attr", "has_value"})


class StateDemand(NamedTuple):
    """An entity must be in one of the states."""

    entity_id: str
    states: frozenset[str]


class TriggerDemand(NamedTuple):
    """One of these triggers must have started the run."""

    ids: frozenset[str]


Demand = StateDemand | TriggerDemand | bool | None
"""What must be so for a template to say yes; None when that cannot be told."""


@lru_cache(maxsize=8_192)
def _parsed(source: str) -> nodes.Template | None:
    try:
        return _SYNTAX.parse(source)
    except (TemplateSyntaxError, RecursionError):
        return None


def as_template(condition: str) -> str:
    """Return a yes-or-no template with the braces that its author may have left out."""
    return condition if is_template(condition) else f"{{{{ {condition} }}}}"


@lru_cache(maxsize=8_192)
def entities_in(source: str) -> tuple[str, ...]:
    """Return the entities that a template names in so many words, as in ``states('light.hall')``."""
    tree = _parsed(source)
    calls = () if tree is None else tree.find_all(nodes.Call)
    return tuple(dict.fromkeys(name for call in calls for name in _entity_of(call)))


def _entity_of(call: nodes.Call) -> Iterator[str]:
    if isinstance(call.node, nodes.Name) and call.node.name in _OF_STATES and call.args:
        name = _text(call.args[0])
        if name is not None:
            yield name


@lru_cache(maxsize=8_192)
def trigger_ids_in(source: str) -> tuple[str, ...]:
    """Return the trigger ids with which a template compares ``trigger.id``."""
    tree = _parsed(source)
    compares = () if tree is None else tree.find_all(nodes.Compare)
    demands = (_comparison(compare, ("eq", "ne", "in", "notin")) for compare in compares)
    return tuple(sorted({i for demand in demands if isinstance(demand, TriggerDemand) for i in demand.ids}))


@lru_cache(maxsize=8_192)
def demand_of(condition: str) -> Demand:
    """Return what a yes-or-no template demands: ``is_state('…', '…')``, ``trigger.id == '…'``, ``true``."""
    tree = _parsed(as_template(condition).strip())
    body = [] if tree is None else tree.body
    if len(body) != 1 or not isinstance(body[0], nodes.Output) or len(body[0].nodes) != 1:
        return None
    match body[0].nodes[0]:
        case nodes.Const(value=bool(value)):
            return value
        case nodes.Call(node=nodes.Name(name="is_state"), args=[entity, state]):
            entity_id, states = _text(entity), _texts(state)
            return StateDemand(entity_id, states) if entity_id and states else None
        case nodes.Compare() as compare:
            return _comparison(compare, ("eq", "in"))
        case _:
            return None


def _comparison(compare: nodes.Compare, allowed: tuple[str, ...]) -> StateDemand | TriggerDemand | None:
    if len(compare.ops) != 1 or compare.ops[0].op not in allowed:
        return None
    values = _texts(compare.ops[0].expr)
    if not values or (compare.ops[0].op in ("in", "notin") and _text(compare.ops[0].expr) is not None):
        return None  # 'a' in 'abc' looks for a part of a text
    match compare.expr:
        case nodes.Call(node=nodes.Name(name="states"), args=[entity]):
            entity_id = _text(entity)
            return StateDemand(entity_id, values) if entity_id else None
        case nodes.Getattr(node=nodes.Name(name="trigger"), attr="id"):
            return TriggerDemand(values)
        case _:
            return None


def _text(node: nodes.Expr) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _texts(node: nodes.Expr) -> frozenset[str]:
    """Return one text or a list of texts; empty when it is neither."""
    items = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    texts = [_text(item) for item in items]
    return frozenset(text for text in texts if text is not None) if None not in texts else frozenset()
