"""Evidence is written once and whole; each loudspeaker speaks with one voice at a time."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.actions.evidence import EvidenceStore
from hub.actions.say import Say
from hub.model.decision import Capture, Command, Rate
from hub.model.decision import Say as SayAction
from hub.model.errors import DeviceError, Limited, SpeechError, Unreachable, Unsupported
from hub.model.execution import pause
from hub.model.ids import CommandKey, EntityId, RuleId
from hub.model.site import Prompt, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import HOUR, MINUTE, SECOND, Duration
from hub.sdk import Clip
from tests.kit.clock import START, VirtualClock, settle
from tests.kit.facts import at, command
from tests.kit.lane import LANE, RULE, seconds, site

LEFT, RIGHT = EntityId("horn.left"), EntityId("horn.right")
TWO_SECONDS = Clip(b"\0\0" * 16_000)


async def test_evidence_is_written_once_and_hashed(tmp_path: Path) -> None:
    store, picture = EvidenceStore(tmp_path), command(Capture())
    record = await store.keep(picture, b"first", "image/jpeg", at(1))
    path = tmp_path / record.path
    assert path.read_bytes() == b"first"
    assert record.sha256 == hashlib.sha256(b"first").hexdigest()
    assert (record.size, record.at, record.id) == (5, at(1), picture.key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = await store.keep(picture, b"second", "image/jpeg", at(2))
    assert path.read_bytes() == b"first"
    assert again.sha256 == record.sha256, "the record speaks of what is on the disk"
    assert not path.with_suffix(".part").exists()


async def test_a_part_left_by_a_crash_is_written_anew(tmp_path: Path) -> None:
    store, picture = EvidenceStore(tmp_path), command(Capture())
    kept = await store.keep(picture, b"whole", "image/jpeg", at(1))
    path = tmp_path / kept.path
    path.rename(path.with_suffix(".part"))
    path.with_suffix(".part").write_bytes(b"who")
    assert await store.find(picture, "image/jpeg") is None, "half a picture is none"
    assert (await store.keep(picture, b"whole", "image/jpeg", at(1))).sha256 == kept.sha256
    assert path.read_bytes() == b"whole"


async def test_what_a_try_before_a_crash_has_kept_is_found(tmp_path: Path) -> None:
    store, picture = EvidenceStore(tmp_path), command(Capture())
    kept = await store.keep(picture, b"x", "image/png", picture.at)
    assert await store.find(picture, "image/png") == kept
    assert await store.find(picture, "image/jpeg") is None


async def test_a_disk_that_refuses_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_bytes(b"a file where a folder should be")
    with pytest.raises(Unreachable, match="cannot be stored"):
        await EvidenceStore(tmp_path).keep(command(Capture()), b"x", "image/jpeg", at(1))


class Horn:
    """A loudspeaker that notes when it was told what, and answers at once, as devices do that take a whole clip."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.heard: list[tuple[float, CommandKey]] = []
        self.failure: Exception | None = None

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        self.heard.append(((self.clock.now() - START) / 1e6, key))
        if self.failure is not None:
            raise self.failure


class Voice:
    """Speech without an engine: every sentence takes two seconds."""

    def __init__(self) -> None:
        self.failure: SpeechError | None = None

    async def clip(self, text: str, language: str) -> Clip:
        if self.failure is not None:
            raise self.failure
        return TWO_SECONDS


class Stage:
    """A zone with loudspeakers."""

    def __init__(self, folder: Path, *bound: EntityId) -> None:
        self.clock = VirtualClock()
        self.horns = {name: Horn(self.clock) for name in bound}
        self.voice = Voice()
        zone = Zone(LANE, ZoneKind.FIRE_LANE, Text("车道"), bind={Role.SPEAKER: bound})
        self.site: Site = site(zone)
        speech: Any = self.voice
        self.say = Say(lambda: self.site, folder, self, speech, EvidenceStore(folder), self.clock)

    def driver(self, entity: EntityId) -> Any:
        return self.horns.get(entity)


async def speaking(stage: Stage, *numbers: int) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(stage.say.perform(command(number=number))) for number in numbers]
    await settle()
    return tasks


async def test_one_voice_at_a_time_on_each_loudspeaker(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT, RIGHT)
    tasks = await speaking(stage, 1, 2, 3)
    for _ in range(3):
        await stage.clock.run(seconds(2))
    await asyncio.gather(*tasks)
    for horn in stage.horns.values():
        assert [when for when, _ in horn.heard] == [0, 2, 4]
        assert len({key for _, key in horn.heard}) == 3


class SlowHorn(Horn):
    """A loudspeaker that is played in real time, and falls silent when it is told to."""

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        await super().play(clip, volume, key)
        try:
            await pause(self.clock, int(clip.seconds * SECOND))
        except asyncio.CancelledError:
            self.heard.append(((self.clock.now() - START) / 1e6, CommandKey("silent")))
            raise


def burning(stage: Stage) -> None:
    """Have the prompt `fire` be urgent."""
    prompts = {"fire": Prompt("fire", Text("着火了"), urgent=True)}
    stage.site = msgspec.structs.replace(stage.site, prompts=prompts)
    stage.horns[LEFT] = SlowHorn(stage.clock)


FIRE = SayAction(Text("着火了"), prompt="fire")


async def test_an_urgent_voice_cuts_the_others_short_and_goes_first(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    burning(stage)
    first, second = await speaking(stage, 1, 2)
    await stage.clock.run(seconds(0.5))
    fire = asyncio.create_task(stage.say.perform(command(FIRE, number=3)))
    await settle()
    with pytest.raises(Unreachable, match="urgent"):
        await first
    for _ in range(3):
        await stage.clock.run(seconds(2))
    assert (await fire).detail["began_at"] == START + seconds(0.5)
    await second
    keys = [command(number=1).key, "silent", command(FIRE, number=3).key, command(number=2).key]
    assert [key for _, key in stage.horns[LEFT].heard] == keys
    assert [when for when, _ in stage.horns[LEFT].heard] == [0, 0.5, 0.5, 2.5]


async def test_two_urgent_voices_do_not_cut_each_other_short(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    burning(stage)
    both = [asyncio.create_task(stage.say.perform(command(FIRE, number=number))) for number in (1, 2)]
    await settle()
    for _ in range(3):
        await stage.clock.run(seconds(2))
    await asyncio.gather(*both)
    assert [when for when, _ in stage.horns[LEFT].heard] == [0, 2]


async def test_an_urgent_voice_that_is_given_up_leaves_the_loudspeaker_to_the_others(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    burning(stage)
    speaks, waits = [asyncio.create_task(stage.say.perform(command(FIRE, number=number))) for number in (1, 2)]
    (later,) = await speaking(stage, 3)
    for task in (speaks, waits):
        task.cancel()
    await asyncio.gather(speaks, waits, return_exceptions=True)
    for _ in range(2):
        await stage.clock.run(seconds(2))
    await later
    assert [key for _, key in stage.horns[LEFT].heard][-1] == command(number=3).key


@pytest.mark.parametrize("by", [HOUR, -HOUR, -START])
async def test_a_jump_of_the_clock_does_not_silence_a_loudspeaker(tmp_path: Path, by: int) -> None:
    stage = Stage(tmp_path, LEFT)
    await asyncio.gather(*await speaking(stage, 1))
    stage.clock.jump(by)
    tasks = await speaking(stage, 2)
    await stage.clock.run(seconds(2))
    assert len(stage.horns[LEFT].heard) == 2
    await asyncio.gather(*tasks)


async def test_what_was_said_is_kept(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    done = await stage.say.perform(command())
    assert done.evidence is not None
    assert (tmp_path / done.evidence.path).read_bytes() == TWO_SECONDS.wav()
    assert done.detail == {"began_at": START, "seconds": 2.0, "volume": 70, "silent": 0}


async def test_it_is_said_when_one_of_two_loudspeakers_spoke(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT, RIGHT)
    stage.horns[LEFT].failure = Unreachable("away")
    assert (await stage.say.perform(command())).detail["silent"] == 1
    stage.horns[RIGHT].failure = Unreachable("away, too")
    tasks = await speaking(stage, 2)
    await stage.clock.run(seconds(2))
    with pytest.raises(Unreachable, match="away"):
        await tasks[0]


async def test_what_cannot_be_said_says_why(tmp_path: Path) -> None:
    nobody, missing, dumb = Stage(tmp_path), Stage(tmp_path, LEFT), Stage(tmp_path, LEFT)
    missing.horns.clear()
    dumb.voice.failure = SpeechError("no engine")
    with pytest.raises(Unsupported, match="no loudspeaker is bound"):
        await nobody.say.perform(command())
    with pytest.raises(DeviceError, match="is not set up"):
        await missing.say.perform(command())
    with pytest.raises(Unsupported, match="no engine"):
        await dumb.say.perform(command())
    with pytest.raises(Unsupported, match="nothing to say"):
        await dumb.say.perform(command(Capture()))


def limited(number: int, when: float = 0, rule: str = RULE) -> Command:
    rate = Rate(2, Duration(10 * MINUTE))
    return msgspec.structs.replace(command(number=number, when=when), rule=RuleId(rule), rate=rate)


async def said(stage: Stage, number: int, rule: str = RULE) -> bool:
    """Say it after a pause; tell whether it was spoken."""
    await stage.clock.run(seconds(5))
    try:
        await stage.say.perform(limited(number, rule=rule))
    except Limited:
        return False
    return True


async def test_a_rule_speaks_only_so_often_through_a_loudspeaker(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    assert [await said(stage, number) for number in (1, 2, 3)] == [True, True, False]
    assert await said(stage, 4, rule="smoke_alarm"), "another rule has its own count"
    await stage.clock.run(Duration(9 * MINUTE + 35 * SECOND))
    assert [await said(stage, number) for number in (5, 6)] == [False, True], "the first was 5 s after the beginning"


async def test_a_voice_that_failed_is_not_counted(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    stage.horns[LEFT].failure = Unreachable("away")
    for number in (1, 2):
        with pytest.raises(Unreachable):
            await stage.say.perform(limited(number))
    stage.horns[LEFT].failure = None
    assert await said(stage, 3)


async def test_a_restart_does_not_make_a_loudspeaker_forget_its_rate(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    stage.say.recall([limited(1), limited(2, when=1)])
    assert not await said(stage, 3)


async def test_voices_of_the_future_do_not_silence_a_loudspeaker(tmp_path: Path) -> None:
    stage = Stage(tmp_path, LEFT)
    stage.say.recall([limited(1, when=3600), limited(2, when=3601)])
    assert await said(stage, 3)
