"""Write down what the engine must not forget, and take it back in after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from routines.deadlines import Deadlines
from routines.facts import Fact, Json, PresenceFact, StateFact
from routines.gate import Gate
from routines.home import Home
from routines.journals import Journals
from routines.matcher import Before
from routines.memory import (
    Kind,
    Notebook,
    Row,
    presence_from_json,
    presence_to_json,
    state_from_json,
    state_to_json,
)
from routines.roster import Roster
from routines.run_rows import number_of
from routines.runs import Runs
from routines.touches import Touches
from routines.watch import Watch


class Recollection:
    """Knows for every kind of row which part of the engine writes it and which takes it back.

    Attributes
    ----------
    unreadable : list of str
        Rows that another version wrote and this one had to drop.
    """

    def __init__(
        self,
        *,
        notebook: Notebook,
        home: Home,
        roster: Roster,
        watch: Watch,
        runs: Runs,
        gate: Gate,
        journals: Journals,
        touches: Touches,
        deadlines: Deadlines,
    ) -> None:
        self._notebook = notebook
        self._home = home
        self._roster = roster
        self._watch = watch
        self._runs = runs
        self._gate = gate
        self._journals = journals
        self._touches = touches
        self._deadlines = deadlines
        self._rows: dict[tuple[Kind, str], Json] = {}
        self.unreadable: list[str] = []
        self._written: Mapping[Kind, Callable[[str], Json]] = {
            "state": self._state,
            "presence": self._presence,
            "clock": self._clock,
            "held": watch.held_to_json,
            "run": runs.to_json,
            "suppressed": gate.to_json,
            "enabled": roster.enabled_to_json,
            "made": roster.made_to_json,
            "undo": journals.to_json,
            "touch": touches.to_json,
            "count": runs.count_to_json,
        }

    def changes(self) -> list[Row]:
        """Return what has changed since the last call; None for what is gone."""
        return [
            Row(kind=kind, key=key, content=self._written[kind](key)) for kind, key in self._notebook.take()
        ]

    def learn(self, fact: Fact, now: datetime) -> Before:
        """Take over what a fact says of the home, and return what was known before."""
        if isinstance(fact, StateFact):
            self._notebook.note("state", fact.entity_id)
            return self._home.learn_state(fact, now)
        if isinstance(fact, PresenceFact):
            self._notebook.note("presence", fact.room)
            return self._home.learn_presence(fact, now)
        return None

    def take(self, rows: Iterable[Row]) -> None:
        """Take in all rows, and the states of the home at once."""
        for row in rows:
            self._rows[row.kind, row.key] = row.content
        for key, content in self._of("state"):
            self._home.put_state(key, state_from_json(content))
        for key, content in self._of("presence"):
            self._home.put_presence(key, presence_from_json(content))

    def recall_first(self, now: datetime) -> None:
        """Take back what must be there before the triggers are armed and the runs go on."""
        for key, content in self._of("enabled"):
            self._roster.recall_enabled(key, content)
        for key, content in self._of("made"):
            with self._readable("made", key):
                self._roster.recall_made(key, content)
        for key, content in self._of("suppressed"):
            self._gate.recall(key, content, now)
        for key, content in sorted(self._of("undo"), key=_ended_when):
            self._journals.recall(key, content)
        for key, content in self._of("touch"):
            self._touches.recall(key, content)
        for _, content in self._of("count"):
            self._runs.recall_count(content)
        for key, content in sorted(self._of("run"), key=lambda row: number_of(row[0])):
            with self._readable("run", key):
                self._runs.recall(key, content)

    @contextmanager
    def _readable(self, kind: Kind, key: str) -> Iterator[None]:
        """Drop a row that another version wrote and this one cannot read, rather than never start again."""
        try:
            yield
        except (ValueError, KeyError) as error:
            self._notebook.note(kind, key)
            self.unreadable.append(f"{kind} {key}: {error!r}")

    def note_home(self) -> None:
        """Write the whole picture of the home down anew."""
        for entity_id, _ in self._home.entities():
            self._notebook.note("state", entity_id)
        for room, _ in self._home.rooms():
            self._notebook.note("presence", room)

    def missed(self, armed_key: str, now: datetime) -> datetime | None:
        """Return when time should have fired a trigger while the hub was down."""
        content = self._rows.get(("clock", armed_key))
        due = datetime.fromisoformat(str(content["due"])) if isinstance(content, dict) else None
        return due if due is not None and due <= now else None

    def recall_held(self) -> None:
        """Hold again what was held; the triggers and the waits of runs are armed by now."""
        for key, content in self._of("held"):
            self._watch.recall_held(key, content)
        for key, _ in self._of("clock"):
            if self._watch.armed(key) is None:
                self._notebook.note("clock", key)

    def forget(self) -> None:
        """Let go of the rows: from now on the parts know it all themselves."""
        self._rows.clear()

    def _of(self, kind: Kind) -> Iterator[tuple[str, Mapping[str, Json]]]:
        for (of_kind, key), content in list(self._rows.items()):
            if of_kind == kind and isinstance(content, dict):
                yield key, content

    def _state(self, entity_id: str) -> Json:
        known = self._home.state(entity_id)
        return None if known is None else state_to_json(known)

    def _presence(self, room: str) -> Json:
        known = self._home.presence(room)
        return None if known is None else presence_to_json(known)

    def _clock(self, armed_key: str) -> Json:
        due = self._deadlines.get(("clock", armed_key))
        return None if due is None else {"due": due.isoformat()}


def _ended_when(row: tuple[str, Mapping[str, Json]]) -> tuple[datetime, int]:
    """Return what journals are sorted by, in whatever order their rows come back."""
    run_id, content = row
    return datetime.fromisoformat(str(content["at"])), number_of(run_id)
