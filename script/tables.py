"""Results by kind and watcher, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from script.journal import Row

_LEAST_WIDTH = 140

Result = dict[str, "float | str | bool | Result | None"]


def by_watcher(rows: Sequence[Row], summary: Callable[[Sequence[Row]], Row], *columns: str) -> Result:
    """Return a summary for each value of the columns, and then for each watcher, in the rows' order."""
    names = ("watcher",) if not columns else (columns[0],)
    rest = columns[1:] if columns else None
    result: Result = {}
    for value in dict.fromkeys(str(row[names[0]]) for row in rows):
        some = [row for row in rows if row[names[0]] == value]
        result[value] = dict(summary(some)) if rest is None else by_watcher(some, summary, *rest)
    return result


def table(title: str, result: Result) -> Table:
    """Return one line for each set of numbers, its names in front."""
    lines = list(_lines(result))
    columns = list(dict.fromkeys(name for _, numbers in lines for name in numbers))
    drawn = Table(title=title, box=None)
    drawn.add_column("", no_wrap=True)
    for name in columns:
        drawn.add_column(name.replace("_", "\n"), justify="right", vertical="bottom", no_wrap=True)
    for names, numbers in lines:
        drawn.add_row(" ".join(names), *(_shown(numbers.get(name)) for name in columns))
    return drawn


def show(title: str, result: Result) -> None:
    """Print a table on stderr, never narrower than it needs to be read."""
    console = Console(stderr=True)
    Console(stderr=True, width=max(console.width, _LEAST_WIDTH)).print(table(title, result))


def shown(parts: Sequence[str], measured: Callable[[str], Result]) -> Result:
    """Measure some parts of a bench, showing each when it is done, and return all."""
    result: Result = {}
    for part in parts:
        found = measured(part)
        show(part, found)
        result[part] = found
    return result


def _lines(
    result: Mapping[str, object], names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Row]]:
    numbers: Row = {}
    for name, value in result.items():
        if isinstance(value, dict):
            yield from _lines(value, (*names, name))
        elif isinstance(value, float | str | bool | int) or value is None:
            numbers[name] = value
    if numbers:
        yield names, numbers


def _shown(value: float | str | bool | None) -> str:
    match value:
        case None:
            return "-"
        case bool() | str() | int():
            return str(value)
        case _:
            return f"{value:.3g}" if abs(value) < 1_000 else f"{value:.0f}"
