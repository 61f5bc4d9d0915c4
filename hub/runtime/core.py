"""The loop: take what has arrived, decide it, commit once, then acknowledge and act. Nothing acts before its commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import structlog

from hub.failpoint import failpoint
from hub.model.decision import IncidentOpened
from hub.model.entry import ClockJump
from hub.model.errors import JournalError, Trouble
from hub.model.site import ZoneKind
from hub.model.text import Text
from hub.model.time import Instant
from hub.runtime.batch import Batch

if TYPE_CHECKING:
    from hub.engine.program import Program
    from hub.engine.state import EngineState
    from hub.model.decision import Command
    from hub.model.entry import Entry, Outcome
    from hub.model.execution import Clock, Timer
    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: Something to do inside a batch.
Work = Callable[[Batch], None]
#: Most that one transaction takes in; the rest waits for the next.
BATCH = 1_000
#: Above this many waiting, transports stop reading until it is half empty again.
FULL = 4_000
#: Seconds between two tries to commit while the journal refuses.
RETRY = 0.5
#: Seconds that one commit may take before people are told that nothing can be written, and deciding goes on without it.
SLOW = 3.0
#: Places named in the banner, of those whose alarm is not on the disk yet.
NAMED = 5
_WHY = {
    Trouble.FULL: Text("磁盘已满，请清理", "the disk is full: make room"),
    Trouble.DISK: Text("磁盘故障，请更换", "the disk reports faults: replace it"),
    Trouble.DAMAGED: Text("文件损坏，请恢复备份", "the file is damaged: restore a backup"),
    Trouble.REFUSED: Text("被拒绝，请看运行日志", "refused: see the hub's log"),
}
_SLOW = Text("磁盘没有响应", "the disk does not answer")


class JournalPort(Protocol):
    """What the loop needs of the journal."""

    async def commit(self, entry: Entry) -> None:
        """Write ``entry``; return once it is on the disk. Raises JournalError."""
        ...


class _Decided(NamedTuple):
    """A batch that waits for the disk, and what follows once it is there."""

    entry: Entry
    callbacks: tuple[Callable[[], None], ...]
    commands: list[Command]
    works: int


class Runtime:
    """Owns the engine's state. Everything reaches it through ``post``; nothing else changes it."""

    def __init__(
        self, program: Program, state: EngineState, journal: JournalPort, clock: Clock, problems: Problems
    ) -> None:
        self.program = program
        self.state = state
        self.clock = clock
        self._journal = journal
        self._problems = problems
        self._inbox: deque[Work] = deque()
        self._most = 0
        self._arrived = asyncio.Event()
        self._timer: Timer | None = None
        self._timer_at: Instant | None = None
        self._begin: Callable[[Command], Outcome | None] = lambda command: None
        self._dispatch: Callable[[Command], None] = lambda command: None
        self._listeners: list[Callable[[Entry], None]] = []
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._held: deque[_Decided] = deque()
        """Decided and not on the disk: more than one only while the journal cannot be written."""
        self._writing: asyncio.Future[None] | None = None
        """The commit of the first of them, while the disk has not answered."""
        self._latest = Instant(0)
        """No batch is decided before this: inputs never share an instant."""

    def dispatch_to(
        self, dispatch: Callable[[Command], None], begin: Callable[[Command], Outcome | None] | None = None
    ) -> None:
        """Name who performs committed commands, and who tells what of their start can be committed with them."""
        self._dispatch = dispatch
        self._begin = begin or self._begin

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """Call ``listener`` with every committed entry."""
        self._listeners.append(listener)

    def post(self, work: Work) -> None:
        """Have ``work`` done inside the next batch."""
        self._inbox.append(work)
        self._arrived.set()
        if len(self._inbox) >= FULL:
            self._room.clear()

    async def done(self, work: Work) -> None:
        """Have ``work`` done and wait until it is committed. A fault in it is raised here, too."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def inside(batch: Batch) -> None:
            try:
                work(batch)
            except Exception as fault:  # whoever waits hears of it, and the turn reports it, too
                committed.set_exception(fault)
                raise
            batch.when_committed(lambda: None if committed.done() else committed.set_result(None))

        self.post(inside)
        await committed

    @property
    def full(self) -> bool:
        """Whether transports should stop reading."""
        return not self._room.is_set()

    @property
    def waiting(self) -> dict[str, int]:
        """How many inputs are not decided yet, at most since the start, and how many batches are not on the disk."""
        return {"inputs": len(self._inbox), "inputs_at_most": self._most, "batches": len(self._held)}

    async def room(self) -> None:
        """Wait until there is room again."""
        await self._room.wait()

    def clock_jumped(self, by: int) -> None:
        """Move what is kept by ``by`` microseconds before anything else is decided by the clock that has moved."""
        self._latest = Instant(self._latest + by)
        self._inbox.appendleft(lambda batch: batch.feed(ClockJump(at=batch.now, by=by)))
        self._arrived.set()

    def change_rules(self, program: Program) -> None:
        """Replace the rule set; what runs under an unchanged trigger goes on."""

        def work(batch: Batch) -> None:
            self.program = program
            batch.adopt(program)

        self.post(work)

    async def run(self) -> None:
        """Run until ``stop``; a batch that was begun is finished first."""
        while not self._stopping:
            self._set_timer()
            await self._arrived.wait()
            self._arrived.clear()
            await self._turn()
        if self._timer is not None:
            self._timer.cancel()

    def stop(self) -> None:
        """End ``run`` after the present batch. What has not been taken in is not acknowledged either."""
        self._stopping = True
        self._arrived.set()

    async def _turn(self) -> None:
        batch = Batch(self.program, self.state, max(self.clock.now(), self._latest))
        self._most = max(self._most, len(self._inbox))
        works = min(BATCH, len(self._inbox), max(0, FULL - sum(decided.works for decided in self._held)))
        for _ in range(works):
            self._guarded(self._inbox.popleft(), batch)
        self._guarded(Batch.pass_time, batch)
        self._latest = Instant(batch.now + 1)
        if len(self._inbox) <= FULL // 2:
            self._room.set()
        failpoint("batch.decided")
        commands = batch.commands
        batch.entry.outcomes.extend(begun for command in commands if (begun := self._begin(command)) is not None)
        if not batch.entry.empty or works:
            self._held.append(_Decided(batch.entry, batch.committed(), commands, works))
        while self._held and (self._held[0].entry.empty or await self._commit(self._held[0].entry)):
            self._follow(self._held.popleft())
        if self._held:  # what arrives meanwhile is decided; all of it is tried again in its order
            asyncio.get_running_loop().call_later(RETRY, self._arrived.set)
            return
        if self._problems.settle("journal"):
            log.info("journal.writable")
        if self._inbox:
            self._arrived.set()

    def _follow(self, decided: _Decided) -> None:
        """Acknowledge, act and tell: what was decided is on the disk."""
        if not decided.entry.empty:
            failpoint("journal.committed")
        for callback in decided.callbacks:
            callback()
        failpoint("batch.acknowledged")
        for command in decided.commands:
            self._dispatch(command)
        for listener in self._listeners if not decided.entry.empty else ():
            self._guarded(listener, decided.entry)

    def _guarded(self, part: Callable[[Any], None], argument: Any) -> None:
        """Run one part of a turn; a fault in it is loud and shown, and does not stop the others."""
        try:
            part(argument)
        except Exception:  # one bad part must not end the loop that everything else depends on
            text = Text("内部错误，请查看日志", "A fault of the hub itself; see its log")
            self._problems.raise_("fault", text)
            log.exception("turn.fault")

    async def _commit(self, entry: Entry) -> bool:
        """Write what was decided and tell whether it is on the disk; if not, it stays decided and is tried again.

        Raises JournalError when the hub is to stop.
        """
        begun = self._writing is None
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._journal.commit(entry))
        await asyncio.wait({self._writing}, timeout=SLOW if begun else 0)  # a disk that hangs is waited for once
        if not self._writing.done():
            if begun:
                self._writing.add_done_callback(lambda _: self._arrived.set())
            self._unwritten(_SLOW)
            return False
        writing, self._writing = self._writing, None
        try:
            writing.result()
        except JournalError as error:
            if "journal" not in self._problems:
                log.error("journal.refused", reason=str(error), trouble=error.trouble)
            self._unwritten(_WHY[error.trouble])
            if self._stopping:
                raise
            return False
        return True

    def _unwritten(self, why: Text) -> None:
        """Say that nothing is recorded, acknowledged or done, and which alarms people must see to themselves."""
        zones = self.program.site.zones
        opened = [found for held in self._held for found in held.entry.decisions if isinstance(found, IncidentOpened)]
        places = [zones[zone] for zone in dict.fromkeys(found.zone for found in opened)]
        names = [zone.name for zone in places if zone.kind is not ZoneKind.HUB][-NAMED:]
        zh, en = "、".join(name.zh for name in names), ", ".join(name.en for name in names)
        text = Text(
            f"日志无法写入（{why.zh}）。警情照常判断，语音和通知暂停。" + (f"未记录的警情：{zh}" if names else ""),
            f"The journal cannot be written ({why.en}). Alarms are still decided; voices and messages wait."
            + (f" Not yet recorded: {en}" if names else ""),
        )
        self._problems.raise_("journal", text)

    def _set_timer(self) -> None:
        wake = self.state.next_wake()
        if wake == self._timer_at and wake is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = wake
        self._timer = None if wake is None else self.clock.call_at(wake, self._on_timer)

    def _on_timer(self) -> None:
        self._timer_at = None
        self._arrived.set()
