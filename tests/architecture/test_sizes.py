import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    file
    for package in ("hub", "sensing", "routines", "integrations")
    for file in (ROOT / package).rglob("*.py")
)
MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 60
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}


def names(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_there_are_files_to_look_at() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_file_is_short_enough_to_be_read_at_once(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_FILE_LINES


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_function_is_short_and_public_things_are_described(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    too_long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert (too_long, silent) == ([], [])


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_file_is_named_for_what_it_does(file: Path) -> None:
    assert not SAYS_NOTHING & set(file.stem.split("_"))
