"""Performs committed commands: in order per zone and kind, retried, never too late, each outcome journalled."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog

from hub.failpoint import failpoint
from hub.model.activation import SlotKey
from hub.model.decision import Capture, Notify, Say
from hub.model.entry import Outcome
from hub.model.errors import DeviceError, Failure
from hub.model.execution import pause
from hub.model.incident import CommandStatus
from hub.model.text import clean
from hub.model.time import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hub.model.decision import Action, Command
    from hub.model.execution import Clock, Done, Executor
    from hub.model.ids import ActivationId, CommandKey
    from hub.runtime.core import Runtime

log = structlog.get_logger()

#: Seconds between two attempts: first and longest.
BACKOFF = (1.0, 15.0)
#: Seconds that one attempt may take; a recording of 120 s is the longest thing that is played.
ATTEMPT = 180.0


class Outbox:
    """One lane for each zone and kind of action, so that the second warning never overtakes the first."""

    def __init__(self, runtime: Runtime, clock: Clock, executors: Mapping[type[Action], Executor]) -> None:
        self._runtime = runtime
        self._clock = clock
        self._executors = executors
        self._lanes: dict[tuple[str, type[Any]], deque[tuple[Command, bool]]] = {}
        self._begun: dict[tuple[str, type[Any]], CommandKey] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: set[ActivationId] = set()

    def begin(self, command: Command) -> Outcome | None:
        """Return the start of a command that nothing will hold up, to be committed together with its decision.

        That saves a warning one round to the disk. None where something of its lane is still being done: its start
        is journalled when its turn comes.
        """
        lane = _lane(command)
        if lane in self._lanes or lane in self._begun:
            return None
        self._begun[lane] = command.key
        return self._outcome(command, CommandStatus.STARTED)

    def resume(self, outbox: Iterable[tuple[Command, CommandStatus]]) -> None:
        """Take up what was committed before a restart; what had begun may have happened already."""
        for command, status in outbox:
            self._put(command, repeated=status is CommandStatus.STARTED)

    def leave(self, activations: Iterable[ActivationId]) -> None:
        """Warn nobody any more for ``activations``: a person has closed their incident, though they still run."""
        running = {slot.activation for slot in self._runtime.state.slots.values()}
        self._left = (self._left & running) | set(activations)

    def submit(self, command: Command) -> None:
        """Perform a command that was committed just now."""
        self._put(command, repeated=False)

    async def close(self) -> None:
        """Stop performing; what is not done is taken up after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _put(self, command: Command, *, repeated: bool) -> None:
        key = _lane(command)
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append((command, repeated))
            return
        self._lanes[key] = deque([(command, repeated)])
        task = asyncio.get_running_loop().create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, key: tuple[str, type[Any]]) -> None:
        """Work a lane off until it is empty."""
        lane = self._lanes[key]
        while lane:
            command, repeated = lane[0]
            try:
                await self._perform(command, repeated=repeated)
            except Exception:  # an executor fault is logged with its traceback and journalled; the lane goes on
                log.exception("command.fault", key=command.key)
                await self._report(self._outcome(command, CommandStatus.FAILED, failure=Failure.FAULT))
            lane.popleft()
        del self._lanes[key]

    async def _perform(self, command: Command, *, repeated: bool) -> None:
        executor = self._executors[type(command.action)]
        begun = self._begun.pop(_lane(command), None) == command.key
        attempt, reason = 1, ""
        delay = BACKOFF[0]
        deadline = command.at + command.stale_after
        while True:
            if self._clock.now() >= deadline and (attempt == 1 or isinstance(command.action, Say)):
                await self._report(self._outcome(command, CommandStatus.DROPPED, attempt, Failure.LATE, reason))
                return
            if self._over(command):
                await self._report(self._outcome(command, CommandStatus.DROPPED, attempt, Failure.OVER))
                return
            if attempt == 1:
                if not begun:
                    await self._report(self._outcome(command, CommandStatus.STARTED, repeated=repeated))
                failpoint("command.started")
            try:
                async with asyncio.timeout(ATTEMPT):
                    done = await executor.perform(command)
            except TimeoutError:
                error: DeviceError = DeviceError(f"not done within {ATTEMPT:g} s")
            except DeviceError as failure:
                error = failure
            else:
                failpoint("command.acted")
                await self._report(self._outcome(command, CommandStatus.DONE, attempt, repeated=repeated, done=done))
                return
            reason = clean(error.reason, 160)
            if not error.retry or self._clock.now() + delay * SECOND >= deadline:
                status = CommandStatus.DROPPED if error.failure is Failure.LIMIT else CommandStatus.FAILED
                await self._report(self._outcome(command, status, attempt, error.failure, reason))
                return
            await self._report(self._outcome(command, CommandStatus.STARTED, attempt, error.failure, reason))
            await pause(self._clock, round(delay * SECOND))
            attempt += 1
            delay = min(delay * 2, BACKOFF[1])

    def _over(self, command: Command) -> bool:
        """Tell whether it would speak to nobody: a person has closed the incident, the activation clears or has."""
        if command.by:
            return False
        if command.activation in self._left and isinstance(command.action, Say | Notify):
            return True
        if not isinstance(command.action, Say) or command.step == "clear":
            return False
        slot = self._runtime.state.slots.get(SlotKey(command.rule, command.zone))
        return slot is None or slot.activation != command.activation or slot.clearing_since is not None

    async def _report(self, outcome: Outcome) -> None:
        """Journal an outcome; it is a fact like any other."""
        await self._runtime.done(lambda batch: batch.record(outcome))

    def _outcome(
        self,
        command: Command,
        status: CommandStatus,
        attempt: int = 1,
        failure: Failure | None = None,
        reason: str = "",
        *,
        repeated: bool = False,
        done: Done | None = None,
    ) -> Outcome:
        return Outcome(
            key=command.key,
            activation=command.activation,
            status=status,
            at=self._clock.now(),
            attempt=attempt,
            failure=failure,
            reason=reason,
            repeated=repeated,
            evidence=None if done is None else done.evidence,
            detail={} if done is None else done.detail,
        )


def _lane(command: Command) -> tuple[str, type[Any]]:
    action = command.action
    if isinstance(action, Capture) and action.is_clip:
        return f"{command.zone}/clip", Capture  # it takes as long as it lasts, and no picture waits for it
    return command.zone, type(action)
