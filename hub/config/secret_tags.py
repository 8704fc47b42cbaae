"""Replace ``!secret name`` in a YAML file by what ``secrets.yaml`` holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from routines.facts import Json
from routines.positions import YamlDocument
from routines.problems import Problem

_TAG = "!secret"

Path = tuple[str | int, ...]


def fill_secrets(
    document: YamlDocument, text: str, data: Json, secrets: Mapping[str, str]
) -> tuple[Json, list[Problem]]:
    """Return the data with secrets filled in, and a problem for every tag that names none.

    Parameters
    ----------
    text : str
        What ``document`` was parsed from; its data no longer has the tags.
    """
    problems: list[Problem] = []
    for path, tag, value in _tagged(YAML().compose(StringIO(text))):
        if tag != _TAG:
            problems.append(document.problem(path, f"the tag {tag} is not known", "only !secret is"))
        elif value not in secrets:
            hint = f"add a line  {value}: ...  to secrets.yaml"
            problems.append(document.problem(path, f"there is no secret '{value}'", hint))
        else:
            data = _replaced(data, path, secrets[value])
    return data, problems


def _tagged(node: Node | None, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    """Yield path, tag and text of every scalar with a tag of its own."""
    match node:
        case MappingNode():
            for key, value in node.value:
                yield from _tagged(value, (*path, str(key.value)))
        case SequenceNode():
            for index, item in enumerate(node.value):
                yield from _tagged(item, (*path, index))
        case ScalarNode() if str(node.tag).startswith("!"):
            yield path, str(node.tag), str(node.value)


def _replaced(data: Json, path: Sequence[str | int], value: str) -> Json:
    """Return the data with one value replaced, at a path that exists."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(data, dict):
        return {key: _replaced(one, rest, value) if key == first else one for key, one in data.items()}
    if isinstance(data, list):
        return [_replaced(one, rest, value) if index == first else one for index, one in enumerate(data)]
    return data
