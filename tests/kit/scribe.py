"""A process that keeps a journal and evidence as the hub does, for power cuts.

``python -m tests.kit.scribe FOLDER COUNT`` commits ``COUNT`` entries, several at a time, and tells each number that was
acknowledged in one write to its standard output, a file.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from hub.actions.evidence import EvidenceStore
from hub.journal import store
from hub.journal.store import Anchor, Journal
from hub.model.activation import Phase, Slot, SlotKey
from hub.model.decision import Capture, Command, Opened
from hub.model.entry import Entry, Note, Outcome
from hub.model.ids import ActivationId, CommandKey, EntityId, RuleId, ZoneId
from hub.model.incident import CommandStatus
from hub.model.reading import Quality, Reading, State
from hub.model.time import MINUTE, Duration, Instant
from tests.kit.clock import START

METER = EntityId("test.meter")
RULE, ZONE = RuleId("short"), ZoneId("lane")
#: Entries that are under way at one time: what the journal takes together it commits together.
TOGETHER = 3
#: Pages in the write-ahead log before they are moved into the file: the hub's 8,000 would never come.
CHECKPOINT = 60
#: Every so many entries there is a picture.
PICTURES = 5


def moment(number: int) -> Instant:
    """Return when an entry is made: ten minutes after the one before, so that links of the chain are made, too."""
    return Instant(START + number * 10 * MINUTE)


def entry(number: int) -> Entry:
    """Return an entry that writes ``number`` into as many tables as a real one does."""
    at, name = moment(number), ActivationId(f"{RULE}@{ZONE}@{number}")
    return Entry(
        at=at,
        readings=[Reading(METER, float(number), Quality.GOOD, at)],
        states={METER: State(float(number), Quality.GOOD, at, at)},
        slots={SlotKey(RULE, ZONE): Slot(Phase.ACTIVE, at, "f00d", activation=name)},
        decisions=[Opened(RULE, ZONE, at, name, at, Duration(0), ()), command(number)],
        notes=[Note("number", at, {"is": number})],
    )


def command(number: int) -> Command:
    """Return the command of an entry."""
    name = ActivationId(f"{RULE}@{ZONE}@{number}")
    key = CommandKey(f"{number:08x}")
    return Command(RULE, ZONE, moment(number), key, name, "open", Capture(), MINUTE)


async def main(folder: Path, count: int) -> None:
    """Write everything down."""
    store.CHECKPOINT = CHECKPOINT
    journal, evidence = Journal(folder), EvidenceStore(folder)
    numbers = iter(range(1, count + 1))
    latest = 0

    def anchor() -> Anchor:
        return Anchor(moment(latest), "boot", moment(latest))

    async def one_after_the_other() -> None:
        nonlocal latest
        for number in numbers:
            latest = number
            await journal.commit(entry(number))
            if number % PICTURES == 0:
                kept = await evidence.keep(command(number), os.urandom(5_000), "image/jpeg", moment(number))
                done = Outcome(
                    command(number).key, kept.activation, CommandStatus.DONE, moment(number), 1, evidence=kept
                )
                await journal.commit(Entry(at=moment(number), outcomes=[done]))
            os.write(sys.stdout.fileno(), f"{number}\n".encode())

    journal.anchor = anchor
    await asyncio.gather(*(one_after_the_other() for _ in range(TOGETHER)))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
