"""The journals of the last runs: what can still be undone."""

from __future__ import annotations

from collections.abc import Mapping

from routines.effects import CallService
from routines.facts import Json
from routines.memory import Notebook
from routines.outputs import Perform
from routines.routine import Routine
from routines.run import Run
from routines.undo import putting_back

UNDO = "undo"
"""Id of the routine that undoes."""
_MOST_JOURNALS = 20


class Journals:
    """What the last runs changed, the latest last."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._journals: dict[str, dict[str, Json]] = {}

    def performed(self, perform: Perform, run: Run | None) -> None:
        """Keep the journal of a run that is changing something now: it is the latest from now on."""
        if run is not None and isinstance(perform.effect, CallService) and perform.routine != UNDO:
            self._journals.pop(run.run_id, None)
            self._journals[run.run_id] = {
                "at": perform.at.isoformat(),
                "routine": perform.routine,
                "journal": dict(run.context.journal),
            }
            self._notebook.note("undo", run.run_id)
            while len(self._journals) > _MOST_JOURNALS:
                self._forget(next(iter(self._journals)))

    def undoing(self) -> tuple[str, Routine] | None:
        """Return the run that changed something last, and a routine that puts it back; forget that run."""
        while self._journals:
            run_id, kept = next(reversed(self._journals.items()))
            self._forget(run_id)
            journal = kept["journal"]
            calls = putting_back(journal) if isinstance(journal, dict) else []
            if calls:
                actions = [
                    {
                        "action": call.action,
                        "target": dict(call.target),
                        "data": dict(call.data),
                        "continue_on_error": True,
                    }
                    for call in calls
                ]
                alias = f"Undo of {kept['routine']}"
                # Queued, for a second "undo" while the first is still at it.
                words = {"id": UNDO, "alias": alias, "mode": "queued", "max": 20, "actions": actions}
                return run_id, Routine.model_validate(words)
        return None

    def to_json(self, run_id: str) -> Json:
        """Return a journal for a row, None when it is forgotten."""
        return self._journals.get(run_id)

    def recall(self, run_id: str, content: Mapping[str, Json]) -> None:
        """Take back in what was remembered before a restart."""
        self._journals[run_id] = dict(content)

    def _forget(self, run_id: str) -> None:
        del self._journals[run_id]
        self._notebook.note("undo", run_id)
