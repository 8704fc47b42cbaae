"""Keep every service alive: failures are absorbed here and never take a sibling down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import structlog

from hub.bus import Bus, Overflow, Subscription
from hub.clock import Clock
from hub.errors import ConfigError, Degraded
from hub.events import ServiceChanged
from hub.service import Service, ServiceState
from routines.ports import LinkChanged

_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
_HEALTHY_SECONDS = 300.0
"""After this long without a failure, the next one counts as the first again."""

_JITTER = 0.25
"""Share of a wait that is random, so that services do not come back in step."""

_LINK_CHANGES = 100

log = structlog.get_logger("supervisor")


class _Kept:
    """What the supervisor knows about one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.state = ServiceState.STARTING
        self.why = ""
        self.hint = ""
        self.settled = asyncio.Event()
        """Set once the service is ready or has given up for now: who needs it may go on."""
        self.failures_in_a_row = 0
        self.ready_at: float | None = None
        self.last_failure = ""


class Supervisor:
    """Start services in the order of their needs, restart what fails, stop in reverse.

    Parameters
    ----------
    services : sequence of Service
        Names must be unique; ``needs`` may only name services in this list, without circles.
    random_share : callable
        Returns 0 to 1; the jitter of waits.
    stop_limit_seconds : float
        How long a service may take to clean up before it is left behind.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        bus: Bus,
        clock: Clock,
        random_share: Callable[[], float] = random.random,
        stop_limit_seconds: float = 5.0,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._random_share = random_share
        self._stop_limit_seconds = stop_limit_seconds
        self._kept = {service.name: _Kept(service) for service in services}
        if len(self._kept) != len(services):
            raise ValueError("two services have the same name")
        self._order = _start_order(services)

    def states(self) -> list[ServiceChanged]:
        """Return every service's state, with why and what to do."""
        return [
            ServiceChanged(name=name, state=kept.state, why=kept.why, hint=kept.hint)
            for name, kept in self._kept.items()
        ]

    async def run(self) -> None:
        """Keep all services alive until cancelled, or until all of them have ended."""
        # Not a bare TaskGroup: it cancels everything at once, and waits for a stuck service for ever.
        if not self._order:
            return
        changes: Subscription[LinkChanged] = self._bus.subscribe(
            LinkChanged, room=_LINK_CHANGES, overflow=Overflow.DROP_OLDEST, name="supervisor"
        )
        links = asyncio.create_task(self._follow(changes), name="states of links")
        tasks = {
            name: asyncio.create_task(self._keep_alive(self._kept[name]), name=f"keep {name} alive")
            for name in self._order
        }
        try:
            # Not gather: being cancelled, it cancels all at once, and then the order of stopping is lost.
            ended, _ = await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
            for task in ended:
                task.result()
        finally:
            links.cancel()
            await self._stop(tasks)

    async def _follow(self, changes: Subscription[LinkChanged]) -> None:
        """Show a link that is down as degraded: it runs, and tries again by itself."""
        with changes:
            async for change in changes:
                kept = self._kept.get(change.link)
                if kept is not None:
                    state = ServiceState.READY if change.up else ServiceState.DEGRADED
                    self._change(kept, state, change.why, change.hint)
                    kept.settled.set()

    async def _stop(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        """Cancel services, those that others need last; leave a stuck one behind."""
        for name in reversed(self._order):
            task = tasks[name]
            task.cancel()
            _, stuck = await asyncio.wait({task}, timeout=self._stop_limit_seconds)
            if stuck:
                log.error("a service does not stop; left behind", service=name)
            if self._kept[name].state is not ServiceState.FAILED:
                self._change(self._kept[name], ServiceState.STOPPED)

    async def _keep_alive(self, kept: _Kept) -> None:
        """Run a service again and again until it returns or its configuration is wrong."""
        for need in kept.service.needs:
            await self._kept[need].settled.wait()
        while True:
            kept.ready_at = None
            self._change(kept, ServiceState.STARTING, kept.why, kept.hint)
            try:
                await kept.service.run(lambda: self._ready(kept))
            except Exception as error:  # noqa: BLE001 - this is the place where failures are absorbed
                if not await self._recover(kept, error):
                    return
            else:
                self._change(kept, ServiceState.STOPPED)
                kept.settled.set()
                return

    def _ready(self, kept: _Kept) -> None:
        kept.ready_at = self._clock.monotonic()
        self._change(kept, ServiceState.READY)
        kept.settled.set()

    async def _recover(self, kept: _Kept, error: Exception) -> bool:
        """Show a failure and wait before the next try; return whether there is one."""
        cause = _cause(error)
        now = self._clock.monotonic()
        if kept.ready_at is not None and now - kept.ready_at >= _HEALTHY_SECONDS:
            kept.failures_in_a_row = 0
            kept.last_failure = ""
        kept.failures_in_a_row += 1
        self._log_failure(kept, error, cause)
        if isinstance(cause, ConfigError):
            self._change(kept, ServiceState.FAILED, str(cause), "Correct the configuration, then restart.")
        elif isinstance(cause, Degraded):
            self._change(kept, ServiceState.DEGRADED, cause.what, cause.hint)
        else:
            why = f"{type(cause).__name__}: {cause}"
            self._change(kept, ServiceState.WAITING, why, "It is tried again; the log has the details.")
        kept.settled.set()
        if kept.state is ServiceState.FAILED:
            return False
        await self._clock.sleep_until(now + self._wait_seconds(kept.failures_in_a_row))
        return True

    def _wait_seconds(self, failures_in_a_row: int) -> float:
        # The exponent is bounded so that a service failing for weeks cannot overflow it.
        longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(failures_in_a_row - 1, 10))
        return longest * (1.0 - _JITTER * self._random_share())

    def _log_failure(self, kept: _Kept, error: Exception, cause: Exception) -> None:
        """Log a new failure in full, the same one again in a line."""
        name = kept.service.name
        failure = f"{type(cause).__name__}: {cause}"
        is_expected = isinstance(cause, ConfigError | Degraded)
        if failure == kept.last_failure or is_expected:
            log.warning("a service failed", service=name, why=failure, times=kept.failures_in_a_row)
        else:
            log.error("a service failed", service=name, why=failure, exc_info=error)
        kept.last_failure = failure

    def _change(self, kept: _Kept, state: ServiceState, why: str = "", hint: str = "") -> None:
        changed = (kept.state, kept.why, kept.hint) != (state, why, hint)
        kept.state, kept.why, kept.hint = state, why, hint
        if changed:
            self._bus.publish(ServiceChanged(name=kept.service.name, state=state, why=why, hint=hint))


def _cause(error: Exception) -> Exception:
    """Return what a task group of a service wraps: a Degraded or ConfigError first."""
    if not isinstance(error, ExceptionGroup):
        return error
    leaves = [_cause(inner) for inner in error.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, ConfigError | Degraded)), leaves[0])


def _start_order(services: Sequence[Service]) -> list[str]:
    """Return names such that needs come before who needs them."""
    needs = {service.name: set(service.needs) for service in services}
    for name, needed in needs.items():
        unknown = needed - needs.keys()
        if unknown:
            raise ValueError(f"service {name!r} needs unknown services: {', '.join(sorted(unknown))}")
    order: list[str] = []
    while len(order) < len(needs):
        startable = [name for name in needs if name not in order and needs[name] <= set(order)]
        if not startable:
            raise ValueError(f"services need each other in a circle: {sorted(needs.keys() - set(order))}")
        order += startable
    return order
