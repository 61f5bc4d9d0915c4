"""Opening a device that is wrong, silent, refusing or lying."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import integrations.bacnet as integration
from hub.sdk import BadCredentials, DeviceError, Unreachable, Unsupported
from integrations.bacnet.address import parse
from integrations.bacnet.config import Config
from integrations.bacnet.tests.site import DEVICE, LIFT, liar, opened, site

pytestmark = pytest.mark.usefixtures("clean_up")
Lie = Callable[[bytes], list[bytes]]


def framed(apdu: bytes) -> bytes:
    return b"\x81\x0a" + (6 + len(apdu)).to_bytes(2, "big") + b"\x01\x00" + apdu


def number(asked: bytes) -> bytes:
    """Return the invoke id of a request."""
    return asked[8:9]


def truth(asked: bytes) -> list[bytes]:
    """Say who one is, and that the one lift is at floor 5; nothing else is known."""
    if asked[9:10] == b"\x0c" and asked[11:15] == (8 << 22 | DEVICE).to_bytes(4, "big"):
        return [framed(b"\x30" + number(asked) + b"\x0c" + asked[10:17] + b"\x3e\xc4" + asked[11:15] + b"\x3f")]
    if asked[9:10] == b"\x0e":
        return [framed(b"\x30" + number(asked) + b"\x0e" + asked[10:16] + b"\x2a\x01\xca\x4e\x21\x05\x4f\x1f")]
    return []


def refusing(how: bytes) -> Lie:
    return lambda asked: [framed(how[:1] + number(asked) + how[1:])]


LIES: dict[str, tuple[Lie, type[DeviceError], str]] = {
    "silence": (lambda asked: [], Unreachable, "no answer within 2 times 0.3 s$"),
    "truncated": (lambda asked: [truth(asked)[0][:-3]], Unreachable, "not a BACnet/IP message"),
    "truncated inside": (lambda asked: [framed(truth(asked)[0][6:-1])], Unreachable, "a value without an end"),
    "a huge datagram": (lambda asked: [b"\x81\x0a\xff\xdc\x01\x00" + bytes(65_494)] * 20, Unreachable, "65500 bytes"),
    "another protocol": (lambda asked: [b"HTTP/1.1 302 Found\r\n\r\n"], Unreachable, "what came was"),
    "endless segments": (
        lambda asked: [framed(b"\x3c" + number(asked) + bytes((seq, 1, 0x0C)) + bytes(1_400)) for seq in range(200)],
        Unreachable,
        "nothing but noise; the last was .* no answer that was asked for",
    ),
    "another number": (lambda asked: [framed(b"\x30\x77" + truth(asked)[0][8:])], Unreachable, "to another question"),
    "its own question": (lambda asked: [asked], Unreachable, "no answer within"),
    "another device": (
        lambda asked: [truth(asked)[0][:-5] + b"\x02\x00\x00\x01\x3f"],
        Unsupported,
        "does not say that it is device 4711",
    ),
    "another object": (
        lambda asked: [truth(asked)[0].replace(asked[11:15], b"\x02\x00\x00\x01")],
        Unreachable,
        "another object",
    ),
    "another property": (
        lambda asked: [truth(asked)[0].replace(b"\x19\x4b", b"\x19\x4d")],
        Unreachable,
        "another property",
    ),
    "wrong type": (
        lambda asked: [framed(truth(asked)[0][6:-6] + b"\x44\x00\x00\x00\x00\x3f")],
        Unsupported,
        "does not say",
    ),
    "secured": (refusing(b"\x50\x0c\x91\x04\x91\x1b"), BadCredentials, "BACnet/SC"),
    "unknown": (refusing(b"\x50\x0c\x91\x01\x91\x1f"), Unsupported, "no Device object 4711"),
    "busy": (refusing(b"\x50\x0c\x91\x00\x91\x02"), Unreachable, r"refuses to read .*error 0:2"),
    "rejects": (refusing(b"\x60\x09"), Unsupported, "no ReadProperty"),
    "aborts": (refusing(b"\x71\x09"), Unreachable, "abort 0:9"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies_when_opened(lie: str, tmp_path: Path) -> None:
    answer, kind, reason = LIES[lie]
    async with liar(answer) as far, asyncio.timeout(20):
        with pytest.raises(kind, match=reason):
            async with opened(tmp_path, address=far.address):
                pass


@pytest.mark.parametrize(
    "lie", ["silence", "truncated inside", "another object", "endless segments", "its own question"]
)
async def test_lies_when_open(lie: str, tmp_path: Path) -> None:
    async with liar(truth) as far, opened(tmp_path, address=far.address) as hub:
        hub.run()
        await hub.until("a_floor", 5.0)
        await hub.until("a_alarm", None, "stale")
        far.lie = LIES[lie][0]
        assert await hub.lost()


async def test_a_lost_datagram_is_asked_again(tmp_path: Path) -> None:
    seen: set[bytes] = set()

    def forgetful(asked: bytes) -> list[bytes]:
        if asked in seen:
            return truth(asked)
        seen.add(asked)
        return []

    async with liar(forgetful) as far, opened(tmp_path, address=far.address) as hub:
        hub.run()
        await hub.until("a_floor", 5.0)
        assert far.heard[0] == far.heard[1], "a repeat has the same number"


async def test_a_device_that_reads_one_by_one_is_asked_together_only_once(tmp_path: Path) -> None:
    def simple(asked: bytes) -> list[bytes]:
        if asked[9:10] == b"\x0e":
            return [framed(b"\x60" + number(asked) + b"\x09")]
        return truth(asked) or [framed(b"\x50" + number(asked) + b"\x0c\x91\x02\x91\x20")]

    async with liar(simple) as far, opened(tmp_path, address=far.address) as hub:
        hub.run()
        await hub.until("a_alarm", None, "stale")
        assert [asked[9:10] for asked in far.heard].count(b"\x0e") == 1


async def test_an_object_that_is_not_there_is_not_asked_for_each_property(tmp_path: Path) -> None:
    def empty(asked: bytes) -> list[bytes]:
        if asked[9:10] == b"\x0e" and asked[14:15] == b"\x04":
            return [framed(b"\x50" + number(asked) + b"\x0e\x91\x01\x91\x1f")]
        return truth(asked)

    lifts = [LIFT, LIFT | {"instance": 4, "key": "b"}]
    async with liar(empty) as far, opened(tmp_path, address=far.address, lifts=lifts) as hub:
        hub.run()
        await hub.until("b_alarm", None, "stale")
        assert [asked[9:10] for asked in far.heard].count(b"\x0c") == 1, "only to see who it is"


async def test_noise_before_the_answer_is_passed_over(tmp_path: Path) -> None:
    def noisy(asked: bytes) -> list[bytes]:
        late = framed(b"\x60" + bytes(((number(asked)[0] - 1) % 256,)) + b"\x09")
        return [b"noise", framed(b"\x10\x08"), late, *truth(asked), *truth(asked)]

    async with liar(noisy) as far, opened(tmp_path, address=far.address) as hub:
        hub.run()
        await hub.until("a_floor", 5.0)


async def test_the_hub_answers_nobody(tmp_path: Path) -> None:
    def curious(asked: bytes) -> list[bytes]:
        who_is = framed(b"\x10\x08")
        write = framed(b"\x00\x05\x63\x0f\x0c\x02\x00\x00\x01\x19\x4d\x3e\x21\x01\x3f")
        return [who_is, write, *truth(asked)]

    async with liar(curious) as far, opened(tmp_path, address=far.address) as hub:
        hub.run()
        await hub.until("a_floor", 5.0)
        assert {asked[6:8] for asked in far.heard} == {b"\x00\x05"}, "only requests are sent"
        assert {asked[9:10] for asked in far.heard} <= {b"\x0c", b"\x0e"}, "only to read"


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="nobody there"):
        async with opened(tmp_path, address="127.0.0.1:1"):
            pass


async def test_a_port_that_another_program_has(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="is the port taken"):
            async with opened(tmp_path, address="127.0.0.1", local=f"127.0.0.1:{taken.getsockname()[1]}"):
                pass


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "10.0.0.1:0",
        "10.0.0.1:65536",
        "10.0.0.1:",
        ":1",
        "http://10.0.0.1",
        "::1",
        "[::1]:1",
        "a\n",
        "x" * 254,
    ],
)
async def test_wrong_addresses_are_refused_at_once(text: str, tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        async with opened(tmp_path, address=text):
            pass


def test_addresses() -> None:
    assert parse("192.168.1.20") == ("192.168.1.20", 47808)
    assert parse("lift-1.local:47809") == ("lift-1.local", 47809)
    assert parse("0.0.0.0:0", lowest_port=0) == ("0.0.0.0", 0)  # noqa: S104


@pytest.mark.parametrize("fields", [{"lifts": []}, {"lifts": [LIFT, LIFT | {"instance": 4}]}])
async def test_what_cannot_work_is_refused_at_once(fields: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        async with opened(tmp_path, address="127.0.0.1", **fields):
            pass


@pytest.mark.parametrize(
    "fields",
    [
        {"device_id": 4_194_303},
        {"timeout_s": 0},
        {"poll_s": 0},
        {"lifts": [LIFT | {"key": "A"}]},
        {"lifts": [LIFT | {"rated_kg": 0}]},
        {"lifts": [LIFT | {"door": 0}]},
        {"lifts": [LIFT] * 33},
    ],
)
def test_wrong_configurations(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        site(address="127.0.0.1", **fields)


def test_the_example_of_the_page_is_a_configuration() -> None:
    page = (Path(integration.__file__).parents[2] / "docs" / "integrations" / "bacnet.md").read_text(encoding="utf-8")
    (entry,) = yaml.safe_load(page.split("```yaml")[1].split("```")[0])["devices"]["bacnet"].values()
    assert [lift.key for lift in msgspec.convert(entry, Config).lifts] == ["a", "b"]


def test_the_library_is_loaded_late() -> None:
    code = "import sys, integrations.bacnet; sys.exit(any(name.startswith('bacpypes3') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603


async def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name
        for name in sys.modules
        if name.startswith("integrations.bacnet.") and name.endswith(("link", "reader", "wire"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bacpypes3.apdu", None)
    with pytest.raises(Unsupported, match=r"menshen\[bacnet\]"):
        async with opened(tmp_path, address="127.0.0.1"):
            pass


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    expected = {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert declared == {name: [] if default == () else default for name, default in expected.items()}
