"""What arrives: how far each message can be trusted, when it is acknowledged, and what a redelivery does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from hub.engine.rule import Clear, OpenIncident, Rule, Trigger
from hub.engine.terms import Not, Silent
from hub.model.decision import Opened, Severity
from hub.model.entry import RESTORED, Delivery, LinkBack, LinkLost, Note
from hub.model.entry import Announcement as KeptAnnouncement
from hub.model.errors import DecodeError
from hub.model.ids import EntityId
from hub.model.reading import NEVER_HEARD, Capability, Contact, Entity, Presence, Quality, Reading, State, Value
from hub.model.site import Role, ZoneKind
from hub.model.text import Text
from hub.model.time import Instant
from hub.runtime.intake import Decoder, Intake, judge, matches
from hub.runtime.mqtt.broker import IN_FLIGHT
from hub.runtime.mqtt.link import Arrival
from hub.runtime.problems import Problems
from hub.runtime.quota import BURST, RATE, Quota
from hub.runtime.refusals import Refusals
from hub.runtime.registry import Registry
from hub.sdk import Announcement, Device, Message, Route, Sample
from tests.kit.clock import settle
from tests.kit.lane import CAR, LEFT, RIGHT, RULE, Plan, seconds
from tests.kit.loop import Loop

GOOD, STALE, UNKNOWN = Quality.GOOD, Quality.STALE, Quality.UNKNOWN
PRESENT, ABSENT = Presence.PRESENT, Presence.ABSENT
NOW = Instant(1_000)
SAME = object()


def known(value: Value | None, quality: Quality) -> State:
    return State(value, quality, Instant(1), Instant(2))


#: what was known, what is said, retained?, confirmed before the link was lost? → trust, or None for nothing new
JUDGED: dict[str, tuple[State, tuple[Value | None, Quality], bool, bool, Quality | None]] = {
    "live alarm": (NEVER_HEARD, (PRESENT, GOOD), False, False, GOOD),
    "live calm": (known(PRESENT, GOOD), (ABSENT, GOOD), False, False, GOOD),
    "live repeat counts as heard": (known(PRESENT, GOOD), (PRESENT, GOOD), False, False, GOOD),
    "live value of a device that doubts": (NEVER_HEARD, (PRESENT, STALE), False, False, STALE),
    "retained alarm, never heard": (NEVER_HEARD, (PRESENT, GOOD), True, False, STALE),
    "retained door, never heard": (NEVER_HEARD, (Contact.OPEN, GOOD), True, False, STALE),
    "retained alarm after live calm": (known(ABSENT, GOOD), (PRESENT, GOOD), True, False, STALE),
    "retained alarm, heard live already": (known(PRESENT, GOOD), (PRESENT, GOOD), True, False, None),
    "retained alarm, not known before": (known(PRESENT, STALE), (PRESENT, GOOD), True, False, None),
    "retained confirms what was known": (known(PRESENT, STALE), (PRESENT, GOOD), True, True, GOOD),
    "retained alarm, another was known": (known(ABSENT, STALE), (PRESENT, GOOD), True, True, STALE),
    "retained alarm of a device that does not know": (NEVER_HEARD, (PRESENT, UNKNOWN), True, False, UNKNOWN),
    "retained calm is believed": (NEVER_HEARD, (ABSENT, GOOD), True, False, GOOD),
    "retained calm ends an alarm": (known(PRESENT, STALE), (ABSENT, GOOD), True, False, GOOD),
    "retained calm again": (known(ABSENT, GOOD), (ABSENT, GOOD), True, False, None),
    "retained number": (NEVER_HEARD, (21.5, GOOD), True, False, GOOD),
    "offline": (known(PRESENT, GOOD), (None, STALE), False, False, STALE),
    "offline again": (known(PRESENT, STALE), (None, STALE), False, False, None),
    "retained offline": (known(PRESENT, GOOD), (None, STALE), True, False, STALE),
    "online": (known(PRESENT, STALE), (None, GOOD), False, False, GOOD),
    "online again": (known(PRESENT, GOOD), (None, GOOD), False, False, None),
    "retained online": (known(PRESENT, STALE), (None, GOOD), True, False, None),
    "does not know": (known(PRESENT, GOOD), (None, UNKNOWN), False, False, UNKNOWN),
}


@pytest.mark.parametrize(("prior", "said", "retained", "confirmed", "trust"), JUDGED.values(), ids=JUDGED)
def test_judge(
    prior: State, said: tuple[Value | None, Quality], *, retained: bool, confirmed: bool, trust: Quality | None
) -> None:
    sample = Sample(CAR, *said, device_at=Instant(5))
    reading = judge(prior, sample, retained=retained, known=confirmed, now=NOW)
    assert reading == (None if trust is None else Reading(CAR, said[0], trust, NOW, Instant(5), retained))


@pytest.mark.parametrize("value", [PRESENT, Contact.OPEN, ABSENT])
@pytest.mark.parametrize("before", [NEVER_HEARD, known(ABSENT, GOOD), known(ABSENT, STALE), known(PRESENT, STALE)])
def test_a_retained_message_is_never_a_fresh_alarm(value: Value, before: State) -> None:
    reading = judge(before, Sample(CAR, value), retained=True, known=False, now=NOW)
    assert reading is None or reading.value is ABSENT or reading.quality is STALE


#: MQTT 3.1.1, 4.7.1 and 4.7.2.
MATCHES = {
    "sport/tennis/player1/#": (
        ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"],
        ["sport/tennis/player10", "sport/tennis", "Sport/tennis/player1"],
    ),
    "sport/#": (["sport", "sport/", "sport/tennis"], ["sports"]),
    "#": (["a", "/a", "a/b/c", "/"], ["$SYS/broker"]),
    "sport/tennis/+": (["sport/tennis/player1", "sport/tennis/"], ["sport/tennis/player1/ranking", "sport/tennis"]),
    "sport/+": (["sport/"], ["sport", "sport/a/b"]),
    "+": (["finance", ""], ["/finance", "$SYS"]),
    "+/+": (["/finance", "a/b"], ["finance"]),
    "/+": (["/finance"], ["finance"]),
    "+/monitor/Clients": (["a/monitor/Clients"], ["$SYS/monitor/Clients"]),
    "$SYS/#": (["$SYS/monitor/Clients", "$SYS"], ["SYS"]),
    "$SYS/monitor/+": (["$SYS/monitor/Clients"], ["$SYS/monitor"]),
    "homeassistant/+/+/config": (["homeassistant/sensor/a/config"], ["homeassistant/sensor/a/b/config"]),
}


@pytest.mark.parametrize("mask", MATCHES)
def test_matches_as_the_standard_says(mask: str) -> None:
    taken, left = MATCHES[mask]
    assert [topic for topic in taken if not matches(mask, topic)] == []
    assert [topic for topic in left if matches(mask, topic)] == []


class Line:
    """The link, as far as the intake needs it."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.filters: set[str] = set()
        self.unconfirmed = 0

    def acknowledge(self, arrival: Arrival) -> None:
        self.acknowledged.append(arrival.mid)

    def subscribe(self, filters: Iterable[str]) -> None:
        self.filters |= set(filters)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        self.filters -= set(filters)


def announce(message: Message) -> Any:
    """One device for each discovery topic; the payload names its entity."""
    if message.payload == b"bad":
        raise DecodeError("not a discovery message")
    if message.payload == b"fault":
        return None  # a plugin that forgot to return
    if not message.payload:
        return Announcement()
    name = EntityId(message.payload.decode())
    entity = Entity(name, Capability.PRESENCE, Text(name), "device", expire_after=seconds(60))
    return Announcement((Device(name, Text(name), (entity,), (Route(f"state/{name}", reader(name)),)),))


def reader(name: EntityId) -> Callable[[Message], tuple[Sample, ...]]:
    def decode(message: Message) -> tuple[Sample, ...]:
        word = message.payload.decode()
        if word == "bad":
            raise DecodeError("not a state")
        if word == "fault":
            raise ZeroDivisionError
        if word == "stranger":
            return (Sample(RIGHT, PRESENT),)  # another device's entity
        if word == "wrong kind":
            return (Sample(name, Contact.OPEN),)
        if word == "no value":
            return (Sample(name, "open sesame"),)  # type: ignore[arg-type]  # what a plugin may do
        if word == "nothing":
            return None  # type: ignore[return-value]  # what a plugin may do
        trust = {"offline": STALE, "online": GOOD}
        return (Sample(name, None, trust[word]) if word in trust else Sample(name, Presence(word)),)

    return decode


class Door:
    """An intake in a running loop."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.line = Line()
        self.registry = Registry()
        self.intake = Intake(
            "mqtt", loop.runtime, self.registry, (Decoder("test", ("find/+",), announce),), loop.problems
        )
        self.intake.attach(self.line)
        self.mid = 0

    async def get(
        self, topic: str, payload: str, *, retained: bool = False, duplicate: bool = False, mid: int | None = None
    ) -> None:
        """Let one message arrive."""
        self.mid += 1
        mid = self.mid if mid is None else mid
        self.intake.arrived(Arrival(topic, payload.encode(), 1, retained, duplicate, mid, 1))
        await settle()

    async def known(self, *names: EntityId) -> None:
        """Have devices announced."""
        for name in names:
            await self.get(f"find/{name}", name, retained=True)

    def state(self, name: EntityId = CAR) -> tuple[Value | None, Quality]:
        """Return what is known of an entity."""
        state = self.loop.runtime.state.states.get(name, NEVER_HEARD)
        return state.value, state.quality


async def test_a_device_is_announced_heard_and_withdrawn() -> None:
    loop = Loop()
    door = Door(loop)
    assert door.line.filters == {"find/+"}
    async with loop.running():
        await door.known(CAR)
        assert door.line.filters == {"find/+", f"state/{CAR}"}
        await door.get(f"state/{CAR}", "present")
        assert door.state() == (PRESENT, GOOD)
        await door.get(f"find/{CAR}", "", retained=False)
        assert door.state() == (None, UNKNOWN)
        assert door.line.filters == {"find/+"}
        await door.get("nobody/asked", "x")
    assert door.line.acknowledged == [1, 2, 3, 4], "everything is acknowledged, also what nobody reads"
    assert [kept.payload for entry in loop.journal.entries for kept in entry.announcements] == [CAR.encode(), b""]
    assert door.intake.counts["mqtt", "unrouted"] == 1


async def test_a_message_is_acknowledged_only_after_its_commit() -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        loop.journal.gate.clear()
        await door.known(CAR)
        assert door.line.acknowledged == []
        loop.journal.gate.set()
        await settle()
        assert door.line.acknowledged == [1]


async def test_a_redelivery_is_acknowledged_and_not_decided_again() -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "present", mid=7)
        await door.get(f"state/{CAR}", "present", mid=7, duplicate=True)
        assert door.intake.counts["mqtt", "redelivered"] == 1
        await door.get(f"state/{CAR}", "absent", mid=7, duplicate=True)
        assert door.state() == (ABSENT, GOOD), "the number was given to another message meanwhile"
        await door.get(f"state/{CAR}", "absent", mid=7)
    assert door.line.acknowledged == [1, 7, 7, 7, 7]
    assert [len(entry.readings) for entry in loop.journal.entries] == [0, 1, 1, 1]


async def test_whatever_a_broker_has_in_flight_lays_no_old_state_over_a_newer_one() -> None:
    """All of it was committed and its acknowledgements were lost: it comes again, the oldest first."""
    loop = Loop()
    door = Door(loop)
    said = [(f"state/{CAR}", b"present"), *([("nobody/asked", b"x")] * (IN_FLIGHT - 2)), (f"state/{CAR}", b"absent")]
    async with loop.running():
        await door.known(CAR)
        for duplicate in (False, True):
            for number, (topic, payload) in enumerate(said, 100):
                door.intake.arrived(Arrival(topic, payload, 1, False, duplicate, number, 1))
                if number % 500 == 0 or number == 99 + IN_FLIGHT:
                    await settle(3)
                    assert not duplicate or door.state() == (ABSENT, GOOD)
            await settle()
    assert door.intake.counts["mqtt", "redelivered"] == IN_FLIGHT
    assert sum(len(entry.readings) for entry in loop.journal.entries) == 2


async def test_a_redelivery_is_known_after_a_restart() -> None:
    loop, again = Loop(), Loop()
    door, second = Door(loop), Door(again)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "present", mid=7)
    kept = [delivery for entry in loop.journal.entries for delivery in entry.deliveries]
    announced = [found for entry in loop.journal.entries for found in entry.announcements]
    second.intake.restore(announced, [*kept, Delivery("other link", 9, b"")])
    assert second.registry.entity(CAR) is not None
    async with again.running():
        await second.get(f"state/{CAR}", "present", mid=7, duplicate=True)
    assert (again.journal.entries, second.line.acknowledged) == ([], [7])


async def test_after_a_restart_an_id_of_a_session_that_was_lost_before_says_nothing() -> None:
    """The second car's number is the first one's: the broker was wiped between them, then the hub was restarted."""
    loop, again = Loop(), Loop()
    door, second = Door(loop), Door(again)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "present", mid=7)
        door.intake.connected(resumed=False)
        await settle()
    kept = [delivery for entry in loop.journal.entries for delivery in entry.deliveries]
    second.intake.restore([found for entry in loop.journal.entries for found in entry.announcements], kept)
    async with again.running():
        await second.get(f"state/{CAR}", "present", mid=7, duplicate=True)
    assert [len(entry.readings) for entry in again.journal.entries] == [1]
    assert second.intake.counts["mqtt", "redelivered"] == 0


@pytest.mark.parametrize("gone", ["the journal was restored", "the broker was wiped, and the hub died at once"])
async def test_a_session_that_goes_on_from_another_past_confirms_nothing(gone: str) -> None:
    loop, again = Loop(), Loop()
    door, second = Door(loop), Door(again)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "present", mid=7)
        if gone == "the broker was wiped, and the hub died at once":
            door.intake.lost("gone")
            door.intake.connected(resumed=False)
            await settle()
    kept = [delivery for entry in loop.journal.entries for delivery in entry.deliveries]
    if gone == "the journal was restored":
        kept.append(Delivery("", RESTORED, b""))
    for entry in loop.journal.entries:
        again.runtime.state.states.update(entry.states)
    second.intake.restore([found for entry in loop.journal.entries for found in entry.announcements], kept)
    async with again.running():
        again.runtime.post(lambda batch: second.intake.distrust(batch, "restart", restart=True))
        second.intake.connected(resumed=True)
        second.intake.synced(resumed=True)
        await settle()
        assert second.state(CAR) == ("present", STALE)


@pytest.mark.parametrize("payload", ["stranger", "wrong kind", "no value"])
async def test_a_plugin_says_nothing_of_others_and_nothing_of_the_wrong_kind(payload: str) -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        await door.known(LEFT)
        await door.get(f"state/{LEFT}", payload)
        assert (door.state(LEFT), door.state(RIGHT)) == ((None, UNKNOWN), (None, UNKNOWN))
    assert door.intake.counts["test", "refused"] == 1
    assert door.line.acknowledged == [1, 2]


@pytest.mark.parametrize("payload", ["bad", "fault", "nothing"])
async def test_a_bad_message_is_acknowledged_and_disturbs_nobody(payload: str) -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        await door.known(CAR, LEFT)
        await door.get(f"state/{LEFT}", payload)
        await door.get(f"find/{LEFT}", payload if payload != "nothing" else "fault")
        await door.get(f"state/{CAR}", "present")
        assert door.state() == (PRESENT, GOOD)
    assert door.line.acknowledged == [1, 2, 3, 4, 5]


async def test_what_the_broker_repeats_at_every_connect_is_read_once() -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        for _ in range(3):
            await door.known(CAR)
    assert door.intake.counts["test", "announced"] == 1


async def test_an_announcement_that_cannot_be_read_any_more_does_not_stop_the_start() -> None:
    door = Door(Loop())
    kept = [
        KeptAnnouncement("test", "find/a", b"bad"),
        KeptAnnouncement("gone", "x", b""),
        KeptAnnouncement("test", "find/b", CAR.encode()),
    ]
    door.intake.restore(kept, [])
    assert door.registry.entity(CAR) is not None


async def lose_and_find(door: Door, *, resumed: bool) -> None:
    door.intake.lost("gone")
    await settle()
    door.intake.synced(resumed=resumed)
    await settle()


async def test_a_lost_link_is_not_trusted_until_the_broker_vouches_for_it() -> None:
    loop = Loop(Plan(hold=10, gap=30).rule())
    door = Door(loop)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "present")
        door.intake.lost("gone")
        await settle()
        assert door.state() == (PRESENT, STALE)
        assert "link.mqtt" in loop.problems
        door.intake.synced(resumed=True)
        await settle()
        assert door.state() == (PRESENT, GOOD)
        assert "link.mqtt" not in loop.problems
    assert [note.kind for note in loop.journal.of(Note) if isinstance(note, Note)] == ["link_lost", "link_back"]


async def test_while_the_link_is_away_its_devices_are_not_counted_as_silent() -> None:
    silent = Silent(Role.VEHICLE, seconds(60))
    clear = Clear(Not(silent), seconds(0), ())
    rule = Rule(RULE, Text("r"), ZoneKind.FIRE_LANE, Trigger(silent, seconds(0)), (OpenIncident(Severity.LOW),), clear)
    loop = Loop(rule)
    door = Door(loop)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "absent")
        door.intake.lost("gone")
        door.intake.lost("not yet there")
        await settle()
        await loop.clock.run(seconds(3_600))
        assert loop.journal.of(Opened) == []
        door.intake.synced(resumed=True)
        await settle()
        await loop.clock.run(seconds(59))
        assert loop.journal.of(Opened) == []
        await loop.clock.run(seconds(2))
        assert len(loop.journal.of(Opened)) == 1
    turns = [type(turn) for entry in loop.journal.entries for turn in entry.turns]
    assert (turns.count(LinkLost), turns.count(LinkBack)) == (1, 1)


async def test_topics_that_the_broker_refuses_are_said_until_nobody_asks_for_them() -> None:
    loop = Loop()
    door = Door(loop)

    def said() -> list[str]:
        return [text.en for text in loop.problems.texts()]

    async with loop.running():
        await door.known(CAR, LEFT)
        door.intake.refused((f"state/{LEFT}",))
        door.intake.refused((f"state/{CAR}",))
        assert [f"hear state/{LEFT} (2 in all)" in text for text in said()] == [True]
        await door.get(f"find/{LEFT}", "")  # it is withdrawn
        assert [f"hear state/{CAR} (1 in all)" in text for text in said()] == [True]
        door.intake.connected(resumed=True)  # all is asked for anew
        assert said() == []


async def test_a_refused_topic_is_cleaned_and_capped() -> None:
    problems = Problems()
    Refusals("mqtt", problems).add(("\x1b[2J" + "x" * 500,))
    (text,) = problems.texts()
    assert "\x1b" not in text.zh + text.en
    assert len(text.en) < 250


async def test_a_link_on_which_nobody_speaks_excuses_nobody() -> None:
    loop = Loop()
    intake = Intake("mqtt", loop.runtime, Registry(), (), loop.problems)
    async with loop.running():
        intake.lost("gone")
        await settle()
        assert loop.runtime.state.absences == ()


async def test_a_restart_confirms_nothing_and_nothing_fires_meanwhile() -> None:
    """Both sensors of the wide lane said so before; while one is doubted already, the other must not vouch alone."""
    loop = Loop(Plan(hold=10, gap=30).rule())
    door = Door(loop)
    async with loop.running():
        await door.known(LEFT, RIGHT)
        await door.get(f"state/{LEFT}", "present")
        await door.get(f"state/{RIGHT}", "present")
        loop.clock._now += seconds(20)  # the hub is away meanwhile, and calls nobody
        loop.runtime.post(lambda batch: door.intake.distrust(batch, "restart", restart=True))
        await settle()
        assert loop.journal.of(Opened) == []
        assert (door.state(LEFT), door.state(RIGHT)) == ((PRESENT, STALE), (PRESENT, STALE))
        door.intake.synced(resumed=True)
        await settle()
        (opened,) = loop.journal.of(Opened)
        assert isinstance(opened, Opened)
        assert seconds(10) <= opened.late_by < seconds(11)


async def test_after_a_new_session_only_the_device_can_say() -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        await door.known(CAR, LEFT)
        for name in (CAR, LEFT):
            await door.get(f"state/{name}", "present")
        await lose_and_find(door, resumed=False)
        assert door.state() == (PRESENT, STALE)
        await lose_and_find(door, resumed=True)
        assert door.state() == (PRESENT, STALE), "the second return says nothing of what was missed before"
        await door.get(f"state/{CAR}", "present", retained=True)
        assert door.state() == (PRESENT, GOOD), "the broker's copy confirms what was known"
        await door.get(f"state/{LEFT}", "present")
        assert door.state(LEFT) == (PRESENT, GOOD)


async def test_what_is_no_longer_announced_is_trusted_no_more() -> None:
    """An integration was removed while the hub was down: its last alarm must not stand for ever."""
    loop = Loop(Plan(hold=10, gap=5).rule())
    door = Door(loop)
    async with loop.running():
        await loop.hear(CAR, PRESENT)
        loop.runtime.post(lambda batch: door.intake.distrust(batch, "restart", restart=True))
        await settle()
        assert door.state() == (PRESENT, STALE)
        door.intake.synced(resumed=True)
        await settle()
        assert door.state() == (PRESENT, STALE)


async def test_online_gives_back_only_what_offline_took() -> None:
    loop = Loop()
    door = Door(loop)
    async with loop.running():
        await door.known(CAR)
        await door.get(f"state/{CAR}", "present")
        await door.get(f"state/{CAR}", "offline")
        assert door.state() == (PRESENT, STALE)
        await door.get(f"state/{CAR}", "online")
        assert door.state() == (PRESENT, GOOD)
        await lose_and_find(door, resumed=False)
        await door.get(f"state/{CAR}", "online")
        assert door.state() == (PRESENT, STALE), "it was not offline that took it"


async def test_a_device_that_measures_too_often_is_cut_to_its_quota_and_named_and_alarms_never_are() -> None:
    quota = Quota(problems := Problems())
    flood, calm = EntityId("mqtt.flood"), EntityId("mqtt.calm")
    second = seconds(1)
    taken = sum(quota.allows(flood, Instant(NOW + second * number // 1_000)) for number in range(20_000))
    assert taken == BURST + 20 * RATE, "what it may tell at once, and what comes back in twenty seconds"
    assert quota.shed == {flood: 20_000 - taken}
    assert all(quota.allows(calm, Instant(NOW + second * number)) for number in range(100))
    (text,) = problems.texts()
    assert flood in text.zh
    assert flood in text.en
    later = Instant(NOW + 20 * second + round(BURST / 2 / RATE + 1) * second)
    assert quota.allows(flood, later)
    assert problems.texts() == [], "it is over when half of the burst has come back"

    loop = Loop()
    door = Door(loop)
    async with loop.running():
        await door.known(CAR)
        for number in range(6_000):
            door.intake.arrived(Arrival(f"state/{CAR}", b"present" if number % 2 else b"absent", 0, False, False, 0, 1))
            if number % 500 == 0:
                await settle(3)
        await settle()
    assert sum(len(entry.readings) for entry in loop.journal.entries) == 6_000, "presence is an alarm's own"
    assert door.intake.counts["test", "shed"] == 0
