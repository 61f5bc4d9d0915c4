"""Who sent a frame, and whether it was sent before: HMAC, keys of the claim, replay window (PROTOCOL.md, section 2)."""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from enum import Enum, StrEnum

from firmware_bridge.errors import NotAuthentic
from firmware_bridge.frame import HEADER, Frame, Group, Head, Op, encode

ID_BYTES, KEY_BYTES, MAC_BYTES, NONCE_BYTES = 8, 16, 8, 16
#: Letters of a claim code: Crockford's base32, which has no I, L, O and U (https://www.crockford.com/base32.html).
CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16
#: Counters below the highest that may still come (RFC 4303, 3.4.3).
WINDOW = 64

_CTR = b"\x63ctr\x1b"
_MAC = b"\x63mac\x48"
_COUNTER = struct.Struct(">Q")
_TAIL_BYTES = len(_CTR) + _COUNTER.size + len(_MAC) + MAC_BYTES
_TAIL_ENTRIES = 2


class Direction(Enum):
    """Who speaks: it is part of what is signed, so that nothing can be reflected."""

    FROM_NODE = b"N"
    FROM_HUB = b"H"


class Distrust(StrEnum):
    """Why a frame was dropped, or what was odd about one that was not."""

    FORGED = "forged"
    """Its mac is wrong or missing: somebody without the key, or another node's frame."""
    REPLAY = "replay"
    CLONE = "clone"
    """Two devices hold one key."""
    GAP = "gap"
    """Frames were lost on the way: normal on radio, a finding on a cable."""
    UNPROVEN = "unproven"
    """It came before the node had answered to a question of this hub: it may be a copy of what was heard long ago."""
    SKEW = "skew"
    """The node's clock is more than 2 s off."""


def must_be_sealed(head: Head) -> bool:
    """Tell whether a claimed node's frame with this header must be authenticated."""
    if head.group == Group.NODE:
        return True
    return head.group in {Group.OS, Group.IMAGE} and head.op in {Op.WRITE, Op.WRITE_ANSWER}


def seal(frame: Frame, key: bytes, direction: Direction, node: bytes, counter: int) -> bytes:
    """Write ``frame`` with its counter and mac. Raises BadFrame when it is too long."""
    tail = _CTR + _COUNTER.pack(counter) + _MAC + bytes(MAC_BYTES)
    data = encode(frame, tail, _TAIL_ENTRIES)[:-MAC_BYTES]
    return data + mac(key, direction, node, data)


def unseal(data: bytes, key: bytes, direction: Direction, node: bytes) -> int:
    """Return the counter of an authentic frame. Raises NotAuthentic. Nothing of its CBOR is decoded."""
    tail = data[-_TAIL_BYTES:]
    well_formed = (
        len(data) > HEADER.size + _TAIL_BYTES
        and tail.startswith(_CTR)
        and tail[len(_CTR) + _COUNTER.size :].startswith(_MAC)
    )
    if not (well_formed and hmac.compare_digest(mac(key, direction, node, data[:-MAC_BYTES]), data[-MAC_BYTES:])):
        raise NotAuthentic(Distrust.FORGED)
    return int(_COUNTER.unpack_from(tail, len(_CTR))[0])


def mac(key: bytes, direction: Direction, node: bytes, data: bytes) -> bytes:
    """Return the eight bytes that end a frame."""
    return hmac.digest(key, direction.value + node + data, "sha256")[:MAC_BYTES]


@dataclass(slots=True)
class Counters:
    """The counters of one direction that were seen: the highest, and a bit for each of the 64 below it."""

    highest: int = -1
    seen: int = 0
    gaps: int = 0
    """Frames that never came although later ones did, within one start number."""

    def copy(self) -> Counters:
        """Return the same, to go on from."""
        return Counters(self.highest, self.seen, self.gaps)

    def has(self, counter: int) -> bool:
        """Tell whether ``counter`` was seen before, or is too old to tell."""
        behind = self.highest - counter
        return behind >= 0 and (behind >= WINDOW or bool(self.seen >> behind & 1))

    def close(self) -> None:
        """Believe nothing at or below the highest any more."""
        self.seen = (1 << WINDOW) - 1

    def accept(self, counter: int) -> None:
        """Take note of a counter. Raises NotAuthentic for one that was seen before or is too old to tell."""
        if counter >> 32 < self.highest >> 32:
            raise NotAuthentic(Distrust.CLONE)  # authentic, and of a start before the present one
        if self.has(counter):
            raise NotAuthentic(Distrust.REPLAY)
        ahead = counter - self.highest
        if ahead < 0:
            self.seen |= 1 << -ahead
            self.gaps = max(0, self.gaps - 1)  # it was late, not lost
            return
        if self.highest >= 0 and counter >> 32 == self.highest >> 32:
            self.gaps += ahead - 1
        self.seen = ((self.seen << ahead) | 1) & ((1 << WINDOW) - 1) if ahead < WINDOW else 1
        self.highest = counter


def read_code(typed: str) -> str | None:
    """Return a claim code as it is hashed, or None for what is none. O is read as 0, I and L as 1."""
    code = typed.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
    return code if len(code) == CODE_LENGTH and set(code) <= set(CODE_LETTERS) else None


def claim_key(code: str, node: bytes) -> bytes:
    """Return K0, with which the two frames of a claim are authenticated."""
    return _hkdf(code.encode(), node, b"menshen claim")


def node_key(code: str, hub_nonce: bytes, node_nonce: bytes, node: bytes, hub: bytes) -> bytes:
    """Return K, with which everything after a claim is authenticated."""
    return _hkdf(code.encode(), hub_nonce + node_nonce, b"menshen node" + node + hub)


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 for one block of output (RFC 5869, sections 2.2 and 2.3)."""
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")[:KEY_BYTES]
