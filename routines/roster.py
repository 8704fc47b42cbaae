"""Which routines there are: the user's, those made at run time, and which of them are enabled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from routines.facts import Json
from routines.memory import Notebook
from routines.routine import Routine


class Roster:
    """All routines by id; the user's own win over made ones of the same id."""

    def __init__(self, routines: Sequence[Routine], notebook: Notebook) -> None:
        self._notebook = notebook
        self._own = {routine.id: routine for routine in routines}
        self._made: dict[str, Routine] = {}
        self._is_enabled: dict[str, bool] = {}

    @property
    def own(self) -> Mapping[str, Routine]:
        """The user's routines."""
        return self._own

    @property
    def made(self) -> Mapping[str, Routine]:
        """Timers, alarms and reminders."""
        return self._made

    def all(self) -> Iterator[Routine]:
        """Yield every routine."""
        yield from self._own.values()
        yield from (routine for key, routine in self._made.items() if key not in self._own)

    def replace(self, routines: Sequence[Routine]) -> None:
        """Take other definitions of the user's routines."""
        self._own = {routine.id: routine for routine in routines}

    def is_enabled(self, routine: Routine) -> bool:
        """Return whether a routine's triggers start it; what was said last counts."""
        return self._is_enabled.get(routine.id, routine.enabled)

    def enable(self, routine_id: str, *, is_enabled: bool) -> None:
        """Enable or disable a routine, also after a restart."""
        self._is_enabled[routine_id] = is_enabled
        self._notebook.note("enabled", routine_id)

    def add(self, made: Routine) -> None:
        """Take in a routine that was made at run time."""
        self._made[made.id] = made
        self._notebook.note("made", made.id)

    def forget(self, routine_id: str) -> Routine | None:
        """Forget a routine that was made at run time, and return it."""
        routine = self._made.pop(routine_id, None)
        if routine is not None:
            self._notebook.note("made", routine_id)
        return routine

    def enabled_to_json(self, routine_id: str) -> Json:
        """Return for a row whether a routine was enabled or disabled."""
        known = self._is_enabled.get(routine_id)
        return None if known is None else {"enabled": known}

    def made_to_json(self, routine_id: str) -> Json:
        """Return a made routine for a row, None when it is gone."""
        routine = self._made.get(routine_id)
        if routine is None:
            return None
        return {"routine": routine.model_dump(mode="json", by_alias=True, exclude_unset=True)}

    def recall_enabled(self, routine_id: str, content: Mapping[str, Json]) -> None:
        """Take back in what `enabled_to_json` wrote."""
        self._is_enabled[routine_id] = bool(content["enabled"])

    def recall_made(self, routine_id: str, content: Mapping[str, Json]) -> None:
        """Take back in what `made_to_json` wrote."""
        self._made[routine_id] = Routine.model_validate(content["routine"])
