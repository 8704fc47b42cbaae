"""Parse YAML and remember where everything stood, so that problems can name a line and a column."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from io import StringIO

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from routines.facts import Json
from routines.problems import Problem

MAX_BYTES = 65_536
"""Larger files are refused before they are parsed."""


class YamlDocument:
    """A parsed file: plain data, and the place of every key and item.

    Attributes
    ----------
    data : Json
        Mappings, lists and scalars.
    """

    def __init__(self, file: str, tree: object) -> None:
        self.file = file
        self._tree = tree
        self.data = _plain(tree)

    def problem(self, path: Sequence[str | int], message: str, hint: str = "") -> Problem:
        """Return a problem at ``path``; parts that are no keys (union tags) are skipped."""
        line, column, node = 0, 0, self._tree
        for part in path:
            if isinstance(node, CommentedMap) and part in node:
                line, column = node.lc.key(part)
                node = node[part]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
                node = node[part]
        return Problem(file=self.file, line=line + 1, column=column + 1, message=message, hint=hint)


def parse_yaml(text: str, file: str) -> YamlDocument | Problem:
    """Parse a YAML file; duplicate keys, aliases and files above 64 KiB are problems."""
    if len(text.encode()) > MAX_BYTES:
        return Problem(file=file, line=1, column=1, message="the file is larger than 64 KiB", hint="split it")
    try:
        for event in YAML().parse(StringIO(text)):
            if type(event).__name__ == "AliasEvent":
                mark = event.start_mark
                message = "YAML aliases (*name) are not allowed"
                return Problem(file=file, line=mark.line + 1, column=mark.column + 1, message=message)
        return YamlDocument(file, YAML().load(StringIO(text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"not valid YAML: {error.problem or error.context}"
        hint = "quote text that holds ': ' or '#', indent with spaces"
        return Problem(file=file, line=line, column=column, message=message, hint=hint)
    except (YAMLError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "nested too deeply"
        return Problem(file=file, line=1, column=1, message=f"not valid YAML: {reason}")


def problems_from(
    error: ValidationError, document: YamlDocument, known_words: Sequence[str] = ()
) -> list[Problem]:
    """Return every fault of a validation as a problem with its place and a hint."""
    problems = []
    for fault in error.errors():
        path = list(fault["loc"])
        message, hint = fault["msg"].removeprefix("Value error, "), ""
        if fault["type"] == "extra_forbidden":
            message = f"unknown key '{path[-1]}'"
            close = get_close_matches(str(path[-1]), known_words, n=1)
            hint = f"did you mean '{close[0]}'?" if close else ""
        elif fault["type"] == "missing":
            message = f"'{path[-1]}' is missing"
        elif fault["type"] == "union_tag_invalid":
            context = fault.get("ctx", {})
            message = f"'{context.get('tag')}' is not known here"
            hint = f"one of {context.get('expected_tags')}"
        problems.append(document.problem(path, message, hint))
    return problems


def field_names(*models: type[BaseModel]) -> list[str]:
    """Return the words that may stand as keys of these models, for "did you mean"."""
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def _plain(node: object) -> Json:
    """Return the tree as plain Python data; what YAML made of a date becomes text again."""
    match node:
        case dict():
            return {str(key): _plain(value) for key, value in node.items()}
        case list():
            return [_plain(item) for item in node]
        case bool():
            return node
        case int():
            return int(node)
        case float():
            return float(node)
        case None:
            return None
        case _:
            return str(node)
