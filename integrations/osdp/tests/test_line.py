"""The session on a pseudo-terminal, with libosdp's peripheral in another process at its other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pty
import socket
import sys
import threading
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

import integrations.osdp as integration
from hub.sdk import (
    Alarm,
    BadCredentials,
    Connection,
    Contact,
    DeviceError,
    Quality,
    Sample,
    Tools,
    Unreachable,
    Unsupported,
    Vitals,
)
from integrations.osdp import panel
from integrations.osdp.config import Config
from tests.kit.patience import until

KEY, OTHER = "00112233445566778899aabbccddeeff", "ff112233445566778899aabbccddeeff"
CARD = "0badcafe42"
CARD_ID, TAMPER_ID, POWER_ID, DOOR_ID = (
    f"osdp.line_gate_{what}" for what in ("card", "tamper", "power_failed", "door")
)
#: Seconds a test waits at most for anything, and for a reader's process.
PATIENCE, STARTING = 15.0, 60.0


@dataclass
class Far:
    """The peripheral and its end of the line."""

    port: str
    master: int
    process: asyncio.subprocess.Process

    async def say(self, **said: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(said).encode() + b"\n")
        await self.process.stdin.drain()

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.communicate()


@contextlib.asynccontextmanager
async def line() -> AsyncIterator[tuple[int, str]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    try:
        yield master, os.ttyname(slave)
    finally:
        os.close(slave)
        with contextlib.suppress(OSError):
            os.close(master)


@contextlib.asynccontextmanager
async def far_end(address: int = 5, key: str = KEY, inputs: int = 0) -> AsyncIterator[Far]:
    async with line() as (master, port):
        far = Far(port, master, await peripheral(master, address, key, inputs))
        try:
            yield far
        finally:
            await far.end()


async def peripheral(end: int, address: int, key: str, inputs: int = 0) -> asyncio.subprocess.Process:
    """Start a reader and wait until it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "integrations.osdp.tests.peripheral", str(end), str(address), key, str(inputs)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(end,),
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    async with asyncio.timeout(STARTING):
        assert await process.stdout.readline(), "the peripheral ended"
    return process


@contextlib.asynccontextmanager
async def multi_drop(*readers: tuple[int, str]) -> AsyncIterator[list[Far]]:
    """Several readers on one pair of wires: whatever one end says, all others hear."""
    loop = asyncio.get_running_loop()
    async with line() as (master, port), contextlib.AsyncExitStack() as stack:
        ends, fars = [master], []
        os.set_blocking(master, False)
        for address, key in readers:
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            ours.setblocking(False)
            far = Far(port, master, await peripheral(theirs.fileno(), address, key))
            theirs.close()
            stack.push_async_callback(far.end)
            ends.append(ours.fileno())
            fars.append(far)

        def pass_on(end: int) -> None:
            with contextlib.suppress(OSError):
                data = os.read(end, 4096)
                for other in ends:
                    if other != end:
                        with contextlib.suppress(OSError):
                            os.write(other, data)

        for end in ends:
            loop.add_reader(end, pass_on, end)
            stack.callback(loop.remove_reader, end)
        yield fars


@dataclass
class Hub:
    """What the session reported."""

    tools: Tools | None = None
    said: list[tuple[str, object]] = field(default_factory=list)

    async def report(self, *said: Sample | Vitals) -> None:
        for part in said:
            assert isinstance(part, Sample)
            self.said.append((part.entity, part.quality if part.value is None else part.value))

    async def until(self, entity: str, value: object) -> None:
        """Wait until it was said; what came before is forgotten."""
        await until(lambda: (entity, value) in self.said, PATIENCE, lambda: f"{entity}: {self.said[-5:]}")
        del self.said[: self.said.index((entity, value)) + 1]


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(panel, "AGAIN", 1.0)
    found = Hub()
    async with aiohttp.ClientSession() as http:
        found.tools = Tools(http, tmp_path, tmp_path, found.report)
        yield found
    assert "cp" not in {thread.name for thread in threading.enumerate()}  # the one of libosdp's panel


def config(port: str, timeout: float = 8.0, **reader: Any) -> Config:
    gate = {"name": "大门", "address": 5, "key": KEY, **reader}
    return msgspec.convert({"port": port, "readers": {"gate": gate}, "timeout_s": timeout}, Config)


async def heard(opening: Callable[[Tools], Awaitable[Connection]], tools: Tools) -> Connection:
    """Open the line, again and again while nobody answers there, as the hub does."""
    async with asyncio.timeout(STARTING):
        while True:
            try:
                return await opening(tools)
            except Unreachable as error:
                if "no reader answers" not in error.reason:
                    raise


@contextlib.asynccontextmanager
async def running(hub: Hub, wanted: Config) -> AsyncIterator[asyncio.Future[None]]:
    """Open the line and run it; close it in the end. Who is not heard in time on a busy machine is tried again."""
    assert hub.tools is not None
    connection = await heard(lambda tools: integration.connect("line", wanted, tools), hub.tools)
    assert connection.run is not None
    assert connection.close is not None
    run: Callable[[], Awaitable[None]] = connection.run
    task = asyncio.ensure_future(run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


async def test_a_card_is_active_for_a_moment_and_its_number_stays_out(
    hub: Hub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with far_end() as far, running(hub, config(far.port)):
        await hub.until(CARD_ID, Alarm.CLEAR)
        await hub.until(TAMPER_ID, Alarm.CLEAR)
        began = asyncio.get_running_loop().time()
        await far.say(card=CARD)
        await hub.until(CARD_ID, Alarm.ACTIVE)
        await far.say(keys="31323334")
        await hub.until(CARD_ID, Alarm.CLEAR)
        assert 1.9 < asyncio.get_running_loop().time() - began < 4
        assert hub.said == []
    shown = repr(hub.said) + caplog.text + "".join(capfd.readouterr())
    assert not any(secret in shown.lower() for secret in (CARD, "1234", KEY))


async def test_several_readers_on_one_line(hub: Hub) -> None:
    async with multi_drop((5, KEY), (6, OTHER), (7, "")) as (gate, back, lobby):
        many = {
            "gate": {"name": "大门", "address": 5, "key": KEY},
            "back": {"name": "后门", "address": 6, "key": OTHER},
            "lobby": {"name": "大堂", "address": 7},
        }
        wanted = msgspec.convert({"port": gate.port, "readers": many, "timeout_s": 8.0}, Config)
        async with running(hub, wanted):
            online = {(f"osdp.line_{name}_tamper", Alarm.CLEAR) for name in many}
            async with asyncio.timeout(PATIENCE):
                while not online <= set(hub.said):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            for name, far in (("gate", gate), ("back", back), ("lobby", lobby)):
                await far.say(card=CARD)
                await hub.until(f"osdp.line_{name}_card", Alarm.ACTIVE)
            await back.end()
            await hub.until("osdp.line_back_card", Quality.STALE)
            await lobby.say(card=CARD)
            await hub.until("osdp.line_lobby_card", Alarm.ACTIVE)
            gone = {entity for entity, value in hub.said if value is Quality.STALE}
            assert not [entity for entity in gone if "back" not in entity], "the others are not touched"


async def test_tamper_and_power(hub: Hub) -> None:
    async with far_end() as far, running(hub, config(far.port)):
        await hub.until(POWER_ID, Alarm.CLEAR)
        await far.say(local="0100")
        await hub.until(TAMPER_ID, Alarm.ACTIVE)
        await hub.until(POWER_ID, Alarm.CLEAR)
        await far.say(local="0001")
        await hub.until(TAMPER_ID, Alarm.CLEAR)
        await hub.until(POWER_ID, Alarm.ACTIVE)


@pytest.mark.parametrize(("active", "first"), [("open", Contact.OPEN), ("closed", Contact.CLOSED)])
async def test_a_door_at_an_input_and_a_question_that_is_refused(hub: Hub, active: str, first: Contact) -> None:
    """The peripheral declares inputs and refuses to tell them (NAK), for which libosdp takes it off line."""
    async with far_end(inputs=2) as far, running(hub, config(far.port, door_input=1, door_active=active)):
        await hub.until(DOOR_ID, Quality.STALE)
        await hub.until(CARD_ID, Alarm.CLEAR)  # it was not given up for 300 s
        await far.say(inputs="0001")
        await hub.until(DOOR_ID, first)
        await far.say(inputs="0100")
        await hub.until(DOOR_ID, Contact.CLOSED if first is Contact.OPEN else Contact.OPEN)
        assert (DOOR_ID, Quality.STALE) not in hub.said  # and not asked again


async def test_a_reader_without_a_key(hub: Hub) -> None:
    async with far_end(key="") as far, running(hub, config(far.port, key="")):
        await far.say(card=CARD)
        await hub.until(CARD_ID, Alarm.ACTIVE)


async def test_a_reader_that_falls_silent_is_stale_and_comes_back(hub: Hub) -> None:
    async with far_end() as far, running(hub, config(far.port, timeout=20)):
        await hub.until(CARD_ID, Alarm.CLEAR)
        await far.say(pause=True)
        await hub.until(CARD_ID, Quality.STALE)
        await far.say(pause=False)
        await hub.until(CARD_ID, Alarm.CLEAR)


async def test_nobody_answers_any_more(hub: Hub) -> None:
    async with far_end() as far, running(hub, config(far.port, timeout=2)) as task:
        await hub.until(CARD_ID, Alarm.CLEAR)
        await far.say(pause=True)
        with pytest.raises(Unreachable, match="any more"):
            await asyncio.wait_for(task, PATIENCE)


async def test_the_port_is_pulled_out(hub: Hub) -> None:
    async with far_end() as far, running(hub, config(far.port)) as task:
        await hub.until(CARD_ID, Alarm.CLEAR)
        await far.end()
        os.close(far.master)
        with pytest.raises(Unreachable, match="was lost"):
            await asyncio.wait_for(task, PATIENCE)


async def test_noise_on_the_line_does_not_end_it(hub: Hub) -> None:
    async with far_end() as far, running(hub, config(far.port, timeout=20)):
        await hub.until(CARD_ID, Alarm.CLEAR)
        for size in (1, 300, 70_000):
            await far.say(noise=size)
        await far.say(card=CARD)
        await hub.until(CARD_ID, Alarm.ACTIVE)


async def refusal(hub: Hub, wanted: Config) -> DeviceError:
    assert hub.tools is not None
    with pytest.raises(DeviceError) as caught:
        await asyncio.wait_for(integration.connect("line", wanted, hub.tools), PATIENCE)
    return caught.value


async def refusal_of_one_that_is_there(hub: Hub, wanted: Config) -> DeviceError:
    assert hub.tools is not None
    with pytest.raises(DeviceError) as caught:
        await heard(lambda tools: integration.connect("line", wanted, tools), hub.tools)
    return caught.value


@pytest.mark.parametrize(
    ("far_key", "key", "kind"), [(KEY, OTHER, BadCredentials), (KEY, "", Unreachable), ("", KEY, BadCredentials)]
)
async def test_the_wrong_key(hub: Hub, far_key: str, key: str, kind: type[DeviceError]) -> None:
    async with far_end(key=far_key) as far:
        error = await refusal_of_one_that_is_there(hub, config(far.port, timeout=2, key=key))
        assert type(error) is kind
        assert "key" in error.reason
        assert KEY not in error.reason


async def test_silence_another_address_and_noise_are_nobody(hub: Hub) -> None:
    async with line() as (master, port):
        assert "no reader answers" in (await refusal(hub, config(port, timeout=0.5))).reason
        writing = asyncio.ensure_future(asyncio.to_thread(os.write, master, b"\x53\x85\x08\x00\x04\x40\x00\x00" * 100))
        assert type(await refusal(hub, config(port, timeout=0.5))) is Unreachable
        await writing
    async with far_end(address=6) as far:
        assert type(await refusal(hub, config(far.port, timeout=1))) is Unreachable


async def test_ports_that_are_none(hub: Hub) -> None:
    assert type(await refusal(hub, config("/dev/no-such-port"))) is Unreachable
    assert type(await refusal(hub, config("/dev/null"))) is Unsupported
    async with far_end() as far, running(hub, config(far.port)):
        assert "in use" in (await refusal(hub, config(far.port))).reason
