"""Read Home Assistant's YAML, and write ours with comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from routines.facts import Json
from routines.importer.words import NotCarried, Note, Words

Page = list[Json] | dict[str, Json]
_MOST_NODES = 200_000
"""A page of aliases of aliases would grow without bound."""
_YAML_1_1 = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null|~|)|[-+]?\d[\d_:.]*")
"""Words that other readers of YAML take for something else than text."""


class _Reader(SafeConstructor):
    """Takes ``!secret`` and ``!include`` for the text that stands there."""


def _as_text(reader: _Reader, node: Node) -> object:
    if isinstance(node, MappingNode):
        return dict(reader.construct_mapping(node, deep=True))
    if isinstance(node, SequenceNode):
        return list(reader.construct_sequence(node, deep=True))
    return f"{node.tag} {node.value}"


_Reader.add_constructor(None, _as_text)


def read_page(text: str) -> Page:
    """Return the automations of a file, or the sections of a package.

    Raises
    ------
    NotCarried
        It is no YAML, or neither a list nor a mapping.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Reader
    try:
        tree = yaml.load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise NotCarried(f"not valid YAML{where}: {error.problem or error.context}") from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise NotCarried("not valid YAML, or nested too deeply") from error
    page = _Plain().of(tree)
    if page is None:
        return []
    if not isinstance(page, list | dict):
        raise NotCarried("this is neither a list of automations nor a package")
    return page


class _Plain:
    """Turn what was read into plain data, each alias written out, as long as it is not too much."""

    def __init__(self) -> None:
        self._count = 0

    def of(self, value: object) -> Json:
        """Return a value as JSON; dates become texts."""
        self._count += 1
        if self._count > _MOST_NODES:
            raise NotCarried("the file is too large; split it")
        match value:
            case dict():
                return {str(key): self.of(item) for key, item in value.items()}
            case list() | tuple() | set():
                return [self.of(item) for item in value]
            case None | bool() | int() | float():
                return value
            case _:
                return str(value)


def write_page(
    made: Sequence[tuple[Words, Sequence[Note], str]], about_file: Sequence[Note], file: str
) -> str:
    """Return a file of routines.

    Parameters
    ----------
    made : sequence
        Each routine with its notes and the id that it had in Home Assistant.
    about_file : sequence of Note
        What is said above all.
    """
    lines = [f"# Imported from {_one_line(file)}."]
    lines += [
        f"# Not carried over: {_one_line(note.place)}: {_one_line(note.message)}" for note in about_file
    ]
    lines += ["version: 1", "routines:" if made else "routines: []"]
    for routine, notes, old_id in made:
        lines.append("")
        if old_id:
            lines.append(f"  # Home Assistant's id: {_one_line(old_id)}")
        if notes:
            is_off = routine.get("enabled") is False
            lines.append(f"  # {'Disabled; not carried over' if is_off else 'Not quite the same'}:")
            lines += [f"  #   {note.place}: {_one_line(note.message)}" for note in notes]
        lines += [f"  {line}".rstrip() for line in _dumped(routine).splitlines()]
    return "\n".join(lines) + "\n"


def _dumped(routine: Words) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 100
    yaml.representer.ignore_aliases = lambda _: True
    stream = StringIO()
    yaml.dump([_quoted(routine)], stream)
    text = stream.getvalue()
    # The list itself is indented by two, as an item of routines.
    return "\n".join(line[2:] for line in text.splitlines())


def _quoted(value: Json) -> object:
    """Put texts in quotes that a reader of YAML 1.1 would not take for texts."""
    match value:
        case dict():
            return {key: _quoted(item) for key, item in value.items()}
        case list():
            return [_quoted(item) for item in value]
        case str() if "\n" in value and value.strip() == value and not re.search(r"[^\S\n]\n|\t", value):
            return LiteralScalarString(value)
        case str() if _YAML_1_1.fullmatch(value) or "\n" in value:
            return DoubleQuotedScalarString(value)
        case float() if value.is_integer() and abs(value) < 1e15:
            return int(value)
        case _:
            return value


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
