"""Listen for an answer when the hub has asked something: nobody has to say the wake word again."""

from __future__ import annotations

from collections.abc import Callable

from hub.bus import Bus, Overflow, Subscription
from hub.events import AnswerAwaited, Observed
from sensing.observations import WakeWordHeard

MOST_IN_A_ROW = 3
"""Answers without a wake word: enough for a sentence said again, its confirmation, and one unclear yes."""
_WAITING_EVENTS = 256


class Answers:
    """The service that opens the ear for answers, a few times after each wake word.

    Parameters
    ----------
    listen : callable
        Lets the ear hear what is said next without a wake word.
    room : str
        Where this hub is; what was asked elsewhere is answered there.
    """

    name = "answers"
    needs: frozenset[str] = frozenset()

    def __init__(self, *, listen: Callable[[], None], bus: Bus, room: str) -> None:
        self._listen = listen
        self._bus = bus
        self._room = room

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen for answers until cancelled."""
        events: Subscription[AnswerAwaited | Observed] = self._bus.subscribe(
            AnswerAwaited, Observed, room=_WAITING_EVENTS, overflow=Overflow.DROP_OLDEST, name=self.name
        )
        left = MOST_IN_A_ROW
        with events:
            ready()
            async for event in events:
                match event:
                    case Observed(observation=WakeWordHeard()):
                        left = MOST_IN_A_ROW
                    case AnswerAwaited(room=room) if room in (None, self._room) and left:
                        left -= 1
                        self._listen()
                    case _:
                        pass
