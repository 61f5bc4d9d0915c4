"""A past week in a journal that no hub has opened yet: what a backtest and the page live through."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from pathlib import Path

from hub.journal.chain import Fresh
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.journal.writer import write
from hub.model.decision import Cleared, Decision, Opened, Reason
from hub.model.entry import Entry, Evidence, Outcome
from hub.model.ids import ActivationId, CommandKey, EntityId, RuleId, ZoneId
from hub.model.incident import CommandStatus
from hub.model.reading import Presence, Quality, Reading
from hub.model.time import DAY, HOUR, MINUTE, SECOND, Duration, Instant

#: When the hub heard of a place last, before now: a journal ends before it is opened.
AGO = 10 * MINUTE


def record_visits(data: Path, visits: dict[str, list[tuple[float, float]]]) -> None:
    """Write cars that stood in places: ``visits`` has entity → (days ago, minutes that it stayed)."""
    data.mkdir(mode=0o700, parents=True)
    now = time.time_ns() // 1_000
    readings = [_reading(name, Presence.ABSENT, now - 8 * DAY) for name in visits]
    for name, stays in visits.items():
        for days, minutes in stays:
            came = now - round(days * DAY)
            readings.append(_reading(name, Presence.PRESENT, came))
            readings.append(_reading(name, Presence.ABSENT, came + round(minutes * MINUTE)))
        readings += [_reading(name, Presence.ABSENT, now - AGO - hours * HOUR) for hours in range(0, 180, 6)]
    readings.sort(key=lambda reading: reading.at)
    with closing(connect(data / FILE)) as db:
        migrate(db)
        db.execute("BEGIN")
        write(db, Entry(at=Instant(now - AGO + SECOND), readings=readings), Fresh())
        db.execute("COMMIT")


def record_picture(data: Path, zone: str, days: float, image: bytes) -> None:
    """Keep a JPEG of a zone, so many days ago, as a rule took it that is gone since."""
    at = Instant(time.time_ns() // 1_000 - round(days * DAY))
    name = ActivationId(f"gone@{zone}@{at}")
    key, path = CommandKey(f"{name}@capture"), f"evidence/{at}.jpg"
    (data / "evidence").mkdir(exist_ok=True)
    (data / path).write_bytes(image)
    kept = Evidence(f"p{at}", name, key, path, "image/jpeg", hashlib.sha256(image).hexdigest(), len(image), at)
    who = (RuleId("gone"), ZoneId(zone), at, name)
    took = Outcome(key, name, CommandStatus.DONE, at, evidence=kept)
    decisions: list[Decision] = [Opened(*who, at, Duration(0), ()), Cleared(*who, Reason.CLEARED)]
    with closing(connect(data / FILE)) as db:
        db.execute("BEGIN")
        write(db, Entry(at=at, decisions=decisions, outcomes=[took]), Fresh())
        db.execute("COMMIT")


def _reading(name: str, value: Presence, at: int) -> Reading:
    return Reading(EntityId(name), value, Quality.GOOD, Instant(at))
