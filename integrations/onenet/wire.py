"""What the platform sends, read without trust.

Source: China Mobile OneNET, "HTTP push, developer manual" (open.iot.10086.cn), and its receivers published as
cm-heclouds/data-push. Two envelopes are in use, with the same rule for the signature:

::

    {"msg": {…} or [{…}, …], "msg_signature": "…", "nonce": "8 random characters"}
    {"msg": "the same as text", "signature": "…", "nonce": "…"}
    {"enc_msg": "…", …} or a text that is no JSON: the encrypted mode

    signature = Base64(MD5(token + nonce + msg))        msg as it stands in the body, byte by byte

    {"type": 1, "dev_id": 2016617, "ds_id": "3200_0_5500", "at": 1466133706841, "value": 1}  a value
    {"type": 2, "dev_id": 2016617, "status": 0, "login_type": 10, "at": 1466133706841}     went offline (1: online)
    {"type": 7, "dev_id": 2016617, "cmd_id": "…", "cmd_type": 1, "at": 1466133706841}      answer to a command

``at`` is the platform's time in milliseconds since 1970.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from hub.sdk import DecodeError, json_value

#: The digest has no mark between nonce and message, so a nonce of any length would let an overheard signature be moved
#: to another message, and MD5 be extended (its padding is not printable). The platform sends 8 characters.
_NONCE = re.compile(r"[!-~]{1,32}\Z")
#: Largest number of messages in one push.
MAX_ITEMS = 1_000
#: Latest time that is believed to be one, 2100-01-01, in milliseconds.
_LATEST = 4_102_444_800_000


Kind = TypeVar("Kind")


class Envelope(msgspec.Struct, frozen=True):
    """The body of a push."""

    nonce: str
    msg: msgspec.Raw = msgspec.Raw(b"")
    enc_msg: str = ""
    msg_signature: str = ""
    signature: str = ""

    def text(self) -> bytes:
        """Return what was signed. Raises DecodeError."""
        if self.enc_msg:
            return self.enc_msg.encode()
        raw = bytes(self.msg)
        return _decode(raw, str).encode() if raw.startswith(b'"') else raw


class _Item(msgspec.Struct, frozen=True):
    type: int
    dev_id: int | str
    at: Annotated[int, msgspec.Meta(ge=0, le=_LATEST)]
    ds_id: str = ""
    value: Any = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A value of one data stream. ``at`` in milliseconds since 1970."""

    device: str
    stream: str
    at: int
    value: object


@dataclass(frozen=True, slots=True)
class Status:
    """A device came online or went offline. ``at`` in milliseconds since 1970."""

    device: str
    at: int
    online: bool


def read_envelope(body: bytes) -> Envelope:
    """Read the body of a push. Raises DecodeError."""
    envelope = _decode(body, Envelope)
    if not envelope.msg and not envelope.enc_msg:
        raise DecodeError("the push has no msg")
    return envelope


def fits(token: str, nonce: str, text: bytes, signature: str) -> bool:
    """Tell whether ``signature`` was made with ``token``; takes the same time wherever the two differ.

    The ``+`` of Base64 arrives as a space where the platform did not escape it in the address.
    """
    if _NONCE.match(nonce) is None:
        return False
    digest = hashlib.md5(token.encode() + nonce.encode() + text, usedforsecurity=False).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.replace(" ", "+").encode("utf-8", "replace"))


def read_items(text: bytes) -> list[object]:
    """Split what was signed into messages. Raises DecodeError when it is no JSON, as in the encrypted mode."""
    value = json_value(text)
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ITEMS:
        raise DecodeError(f"{len(items)} messages are more than the {MAX_ITEMS} allowed")
    return items


def read_item(item: object) -> Point | Status | None:
    """Read one message; None for one that says nothing of a sensor. Raises DecodeError."""
    try:
        found = msgspec.convert(item, _Item)
    except msgspec.ValidationError:
        raise DecodeError("a message is not as documented") from None
    device = str(found.dev_id)
    if found.type == 1 and found.ds_id:
        return Point(device, found.ds_id, found.at, found.value)
    if found.type == 2 and found.status in (0, 1):
        return Status(device, found.at, online=found.status == 1)
    return None


def word(value: object) -> str | None:
    """Write a value so that 1, 1.0 and "1" are the same; None for one that is neither text nor number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, str | int | float) else None


def _decode(body: bytes, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a push as documented: {type(error).__name__}") from None
