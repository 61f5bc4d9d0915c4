"""The C node under AddressSanitizer and UBSan: hostile frames and bytes, a bad line. It goes on answering."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.auth import Direction, seal
from firmware_bridge.frame import HEADER, Frame, Group, Op
from firmware_bridge.messages import Event, NodeCommand
from firmware_bridge.node_process import SOURCES, build
from firmware_bridge.serial_framing import lines_of
from firmware_bridge.tests.small_hub import SmallHub, needs_compiler, running
from firmware_bridge.tests.test_node_image import SIGNER, image, upload

pytestmark = needs_compiler

#: Hostile inputs of one kind in an ordinary run.
MANY = 200
#: All keys that the protocol has.
KEYS = [
    *("d", "datetime", "query", "hash", "confirm", "off", "data", "len", "sha", "image", "pt", "v", "max"),
    *("hub", "nonce", "release", "rc", "boot", "seq", "ctr", "mac"),
]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.floats() | st.binary(max_size=64)
    | st.text(max_size=40) | st.binary(min_size=32, max_size=32) | st.binary(min_size=8, max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
maps = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), values, max_size=8).map(cbor2.dumps)
bodies = maps | st.binary(max_size=200) | st.tuples(maps, st.binary(max_size=20)).map(b"".join)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Frames that are nearly right: a wrong byte here, a wrong length there."""
    body = draw(bodies)
    command = draw(st.integers(0, 9) | st.integers(0, 255))
    group = draw(st.sampled_from([0, 1, 80, 80, 2, 65535]))
    if (group, command) == (0, 5):
        command = 6  # a reset is obeyed, which is right and ends this test
    length = draw(st.just(len(body)) | st.just(len(body)) | st.integers(0, 65535))
    first = draw(st.sampled_from([8, 9, 10, 11, 10, 10]) | st.integers(0, 255))
    return HEADER.pack(first, draw(st.integers(0, 255)), length, group, draw(st.integers(0, 255)), command) + body


async def _survives(state: Path, inputs: list[bytes], *, serial: bool, owned: bool) -> None:
    async with running(state, serial=serial, target="menshen-node-asan", signer=SIGNER) as (node, hub):
        await hub.hello()
        if owned:
            await hub.claim()
        for data in inputs:
            hub.raw(data)
            await _still_answers(hub)
            assert node.code is None, (state / "log").read_text()[-3000:]
        assert node.code is None


async def _still_answers(hub: SmallHub) -> None:
    hub.raw(b"\n" if hub.is_serial else b"")  # a line that was begun would swallow what follows
    assert "images" in await hub.ask(Op.READ, Group.IMAGE, 0, tries=3, within=3)


@pytest.mark.slow
@pytest.mark.parametrize("owned", [False, True], ids=["nobody's", "owned"])
def test_hostile_datagrams(tmp_path_factory: pytest.TempPathFactory, owned: bool) -> None:
    @settings(max_examples=MANY // 20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(frames() | st.binary(max_size=300), min_size=20, max_size=20))
    def check(inputs: list[bytes]) -> None:
        asyncio.run(_survives(tmp_path_factory.mktemp("node"), inputs, serial=False, owned=owned))

    check()


@pytest.mark.slow
def test_hostile_lines(tmp_path_factory: pytest.TempPathFactory) -> None:
    begun = st.binary(max_size=150).map(lambda data: b"\x06\x09" + data + b"\n")
    lines = frames().map(lines_of) | st.binary(max_size=300) | begun

    @settings(max_examples=MANY // 20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(lines, min_size=20, max_size=20))
    def check(inputs: list[bytes]) -> None:
        asyncio.run(_survives(tmp_path_factory.mktemp("node"), inputs, serial=True, owned=False))

    check()


@pytest.mark.slow
def test_hostile_orders_of_its_owner(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A hub gone mad has the key: its frames are authentic and mean nonsense."""
    ends_it = {(0, 5), (80, 4)}  # reset and release are obeyed, which is right
    orders = st.tuples(st.sampled_from([0, 1, 80]), st.integers(0, 9), maps).filter(
        lambda said: said[:2] not in ends_it
    )

    async def send(state: Path, said: list[tuple[int, int, bytes]]) -> None:
        async with running(state, target="menshen-node-asan", signer=SIGNER) as (node, hub):
            await hub.hello()
            await hub.claim()
            for number, (group, command, body) in enumerate(said):
                frame = Frame(Op.WRITE, group, 7, command, cbor2.loads(body))
                if len(frame.body) < 21:
                    hub.raw(seal(frame, hub.key, Direction.FROM_HUB, hub.id, 5 << 32 | number))
                await _still_answers(hub)
            assert node.code is None, (state / "log").read_text()[-3000:]

    @settings(max_examples=MANY // 20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(orders, min_size=20, max_size=20))
    def check(said: list[tuple[int, int, bytes]]) -> None:
        asyncio.run(send(tmp_path_factory.mktemp("node"), said))

    check()


@pytest.mark.slow
def test_the_corpus_is_clean() -> None:
    inputs = sorted((SOURCES / "corpus").iterdir())
    assert len(inputs) >= 40
    done = subprocess.run([build("menshen-node-fuzz"), *inputs], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr[-3000:]
    assert "clean" in done.stdout or "Executed" in done.stderr


async def test_an_upload_over_a_line_that_drops_and_garbles(tmp_path: Path) -> None:
    faults = {"drop": 0.0003, "garble": 0.0003}
    async with running(tmp_path, serial=True, target="menshen-node-asan", signer=SIGNER, faults=faults) as (node, hub):
        hub.patience, hub.tries = 0.3, 50
        assert (await upload(hub, image()))["match"]
        assert (await node.stats())["garbled"] > 0


async def test_datagrams_that_are_lost_or_changed(tmp_path: Path) -> None:
    faults = {"drop": 0.1, "garble": 0.1}
    async with running(tmp_path, target="menshen-node-asan", signer=SIGNER, events=200.0) as (_node, hub):
        await hub.hello()
        await hub.claim()
        await hub.ask(Op.READ, Group.NODE, NodeCommand.HEALTH)  # which settles the claim
    seen: set[int] = set()
    all_came = asyncio.Event()

    def take(event: Event) -> bool:
        seen.update({event.seq} if event.boot == 2 else ())
        if seen >= set(range(1, 60)):
            all_came.set()
        return True

    hub.on_event = take
    async with running(tmp_path, target="menshen-node-asan", events=50.0, hub=hub, faults=faults):
        hub.start += 1
        await asyncio.wait_for(all_came.wait(), 30)
