"""One of everything that the hub writes down, for tests of the journal, the outbox and the page."""

from __future__ import annotations

from hub.engine.activation import command_key
from hub.model.activation import Phase, Slot, SlotKey
from hub.model.decision import (
    Action,
    Capture,
    Cleared,
    Command,
    Escalated,
    IncidentClosed,
    IncidentOpened,
    Notify,
    Opened,
    PendingDropped,
    PendingStarted,
    Reason,
    Say,
    Severity,
    Withheld,
    Witness,
)
from hub.model.entry import (
    Adopted,
    Announcement,
    Bookmarked,
    ClockJump,
    Delivery,
    Entry,
    Evidence,
    LinkBack,
    LinkLost,
    ModeChange,
    Note,
    Outcome,
    Started,
    Trust,
)
from hub.model.errors import Failure
from hub.model.ids import ActivationId
from hub.model.incident import CommandStatus
from hub.model.memory import Memory
from hub.model.reading import Presence, Quality, Reading, State
from hub.model.site import Mode, Role
from hub.model.text import Text
from hub.model.time import MINUTE, Duration, Instant
from tests.kit.clock import START
from tests.kit.lane import CAR, DOOR, LANE, LEFT, OTHER, RULE

NAME = ActivationId(f"{RULE}@{LANE}@{START}")
SPOKEN = Say(Text("请驶离", "Please drive off"), prompt="second_warning", volume=70)


def at(seconds: float) -> Instant:
    """Return an instant so many seconds after the beginning."""
    return Instant(START + round(seconds * 1_000_000))


def command(action: Action = SPOKEN, step: str = "open", number: int = 0, when: float = 0) -> Command:
    """Return one command of the activation."""
    return Command(
        rule=RULE,
        zone=LANE,
        at=at(when),
        key=command_key(NAME, step, number),
        activation=NAME,
        step=step,
        action=action,
        stale_after=MINUTE,
    )


def evidence(of: Command) -> Evidence:
    """Return the record of a picture."""
    return Evidence(
        of.key, of.activation, of.key, f"evidence/2024/10/04/{of.key}.jpg", "image/jpeg", "0" * 64, 3, at(1)
    )


def story() -> Entry:
    """Return an entry with everything in it: a car came, was warned and has gone."""
    where = {"rule": RULE, "zone": LANE}
    mine = {**where, "activation": NAME}
    picture = command(Capture(), number=0, when=2)
    speech, notice = command(number=1, when=2), command(Notify("guard"), "1", when=5)
    trace = (Witness(holds=True, role=Role.VEHICLE, wanted="present", entity=CAR, value="present", since=at(0)),)
    gone = (Witness(holds=True, role=Role.VEHICLE, wanted="absent", entity=CAR, value="absent", since=at(6)),)
    return Entry(
        at=at(9),
        readings=[
            Reading(CAR, Presence.PRESENT, Quality.GOOD, at(0), device_at=at(-1)),
            Reading(LEFT, 21.5, Quality.STALE, at(1), retained=True),
            Reading(DOOR, None, Quality.UNKNOWN, at(2)),
        ],
        states={
            CAR: State(Presence.PRESENT, Quality.GOOD, at(0), at(1)),
            LEFT: State(21.5, Quality.STALE, at(0), at(1)),
            DOOR: State(None, Quality.UNKNOWN, at(2), at(0)),
        },
        memories={CAR: Memory(((at(0), "present"),), ()), LEFT: Memory((), ("above:20.0:18.0",))},
        slots={
            SlotKey(RULE, LANE): Slot(Phase.ACTIVE, at(0), "f00d", None, at(3), at(2), NAME, 1, at(4), incident=True),
            SlotKey(OTHER, LANE): Slot(Phase.PENDING, at(0), "beef", due=at(5), wake=at(5)),
        },
        decisions=[
            PendingStarted(**where, at=at(0), due=at(3)),  # type: ignore[arg-type]
            PendingDropped(**where, at=at(1), reason=Reason.OPPOSITE_EDGE, ran=Duration(5)),  # type: ignore[arg-type]
            Opened(**mine, at=at(2), since=at(0), late_by=Duration(7), trace=trace),  # type: ignore[arg-type]
            picture,
            speech,
            IncidentOpened(**mine, at=at(2), severity=Severity.HIGH),  # type: ignore[arg-type]
            Escalated(**mine, at=at(5), step=1, late_by=Duration(0)),  # type: ignore[arg-type]
            Withheld(**mine, at=at(5), action=SPOKEN, reason=Reason.SOURCE_UNKNOWN),  # type: ignore[arg-type]
            notice,
            Cleared(**mine, at=at(8), reason=Reason.CLEARED, trace=gone),  # type: ignore[arg-type]
            IncidentClosed(**mine, at=at(8), reason=Reason.CLEARED),  # type: ignore[arg-type]
        ],
        outcomes=[
            Outcome(
                picture.key, NAME, CommandStatus.DONE, at(3), 2, evidence=evidence(picture), detail={"entity": "c"}
            ),
            Outcome(speech.key, NAME, CommandStatus.STARTED, at(3), 1, Failure.UNREACHABLE, "away", repeated=True),
        ],
        modes=[
            ModeChange(Mode.MAINTENANCE, True, at(1), at(99), "guard"),
            ModeChange(Mode.TYPHOON, True, at(1)),
            ModeChange(Mode.TYPHOON, False, at(2)),
        ],
        jumps=[ClockJump(at(4), -3_600_000_000)],
        turns=[
            Started(at(0), at(-60)),
            Trust(at(0.5), Quality.STALE, (CAR, LEFT)),
            Adopted(at(0.75)),
            LinkLost(at(0.8), ("sim",)),
            LinkBack(at(0.9)),
            ModeChange(Mode.MAINTENANCE, True, at(1.5), at(99), "guard"),
            ClockJump(at(4), -3_600_000_000),
        ],
        notes=[Note("hub_started", at(0)), Note("rules_refused", at(1), {"findings": ["hub.yaml:1:1: x"]})],
        deliveries=[Delivery("mqtt", 7, b"0" * 16), Delivery("mqtt", 8, b"1" * 16)],
        announcements=[
            Announcement("mqtt_discovery", "a/config", b"{}"),
            Announcement("mqtt_discovery", "b/config", b""),
        ],
        bookmarks=[Bookmarked("firmware_node", "pole", "a.1", "7 1"), Bookmarked("firmware_node", "pole", "a.0", "")],
    )
