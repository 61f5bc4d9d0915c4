"""The bytes printed in PROTOCOL.md are what this code reads and writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.auth import Direction, claim_key, node_key, seal, unseal
from firmware_bridge.frame import Frame, Group, Op, decode, encode
from firmware_bridge.image import Version, build, check_for, parse, verify
from firmware_bridge.serial_framing import Assembler, lines_of

TEXT = (Path(__file__).parent.parent / "PROTOCOL.md").read_text()
EXAMPLES = {
    name: bytes.fromhex(" ".join(block.split()))
    for name, block in re.findall(r"^```([a-z-]+)\n([0-9a-f \n]+)^```", TEXT, re.MULTILINE)
}
NODE, HUB, CODE = bytes.fromhex("4d53000000000001"), bytes.fromhex("4855420000000001"), "0123456789ABCDEF"
FIRST, SECOND = bytes(range(16)), bytes(range(16, 32))
HELLO = {
    "id": NODE, "model": "menshen-ref", "ver": "1.0.0", "dig": bytes(8), "boot": 3, "up": 1000, "why": "power",
    "claimed": False,
}  # fmt: skip
EVENT = {"boot": 3, "seq": 1, "up": 5000, "t": 0, "pt": 0, "v": True}


def test_every_example_is_used() -> None:
    assert set(EXAMPLES) == {
        "echo", "hello", "hello-answer", "claim", "claim-answer", "event", "event-answer", "image",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("echo", Frame(Op.WRITE, Group.OS, 7, 0, {"d": "hi"})),
        ("hello", Frame(Op.WRITE, Group.NODE, 0, 1, HELLO)),
        ("hello-answer", Frame(Op.WRITE_ANSWER, Group.NODE, 0, 1, {"rc": 0, "t": 1_763_717_400_123})),
    ],
)
def test_plain_frames(name: str, frame: Frame) -> None:
    assert decode(EXAMPLES[name]) == frame
    assert encode(frame) == EXAMPLES[name]


@pytest.mark.parametrize(
    ("name", "key", "direction", "counter", "frame"),
    [
        ("event", FIRST, Direction.FROM_NODE, 3 << 32 | 1, Frame(Op.WRITE, Group.NODE, 1, 2, EVENT)),
        ("event-answer", FIRST, Direction.FROM_HUB, 9 << 32 | 1,
         Frame(Op.WRITE_ANSWER, Group.NODE, 1, 2, {"rc": 0, "boot": 3, "seq": 1})),
        ("claim", claim_key(CODE, NODE), Direction.FROM_HUB, 9 << 32 | 2,
         Frame(Op.WRITE, Group.NODE, 2, 4, {"hub": HUB, "nonce": FIRST})),
        ("claim-answer", claim_key(CODE, NODE), Direction.FROM_NODE, 3 << 32 | 2,
         Frame(Op.WRITE_ANSWER, Group.NODE, 2, 4, {"rc": 0, "nonce": SECOND})),
    ],
)  # fmt: skip
def test_authentic_frames(name: str, key: bytes, direction: Direction, counter: int, frame: Frame) -> None:
    assert unseal(EXAMPLES[name], key, direction, NODE) == counter
    assert frame.body.items() <= decode(EXAMPLES[name]).body.items()
    assert seal(frame, key, direction, NODE, counter) == EXAMPLES[name]


def test_keys_of_the_claim() -> None:
    assert f"`{claim_key(CODE, NODE).hex()}`" in TEXT
    assert f"`{node_key(CODE, FIRST, SECOND, NODE, HUB).hex()}`" in TEXT


def test_the_serial_line() -> None:
    line = lines_of(EXAMPLES["echo"])
    assert line == b"\x06\x09ABAKAAAGAAAHAKFhZGJoaSVk\n"
    assert b"ABAKAAAGAAAHAKFhZGJoaSVk" in TEXT.encode()
    assert list(Assembler().feed(b"booting...\r\n" + line)) == [EXAMPLES["echo"]]


def test_the_image() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert build(b"BODY", Version(1, 2, 3, 4), "menshen-ref", 5, key) == EXAMPLES["image"]
    assert key.public_key().public_bytes_raw().hex() in TEXT
    image = parse(EXAMPLES["image"])
    verify(image, key.public_key())
    check_for(image, "menshen-ref", 5)
    assert str(image.version) == "1.2.3+4"
