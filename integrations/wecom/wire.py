"""The message and its answer (WeCom developer centre, document 91770). Pure functions."""

from __future__ import annotations

import msgspec

from hub.sdk import BadCredentials, DecodeError, Notice, Unreachable, Unsupported, json_object

#: Longest text of a message, in bytes of UTF-8 (document 91770).
MAX_TEXT = 2048
#: Too many messages in a minute, too many at once, and the platform's own "busy" (document 90313).
_LATER = {45009, 45033, -1}
#: The key is none (any more), or not one of a robot.
_BAD_KEY = {93000, 40001}


def message(notice: Notice) -> bytes:
    """Return the body of the request."""
    return msgspec.json.encode({"msgtype": "text", "text": {"content": shortened(notice.line(MAX_TEXT))}})


def shortened(text: str, limit: int = MAX_TEXT) -> str:
    """Cut ``text`` to ``limit`` bytes of UTF-8, between two characters, and show the cut."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[: limit - len("…".encode())].decode(errors="ignore") + "…"


def check(answer: bytes) -> None:
    """Read the answer: the status is 200 whatever happened. Raises DeviceError unless the message was taken.

    The robot's own sentence is not repeated: a lying server could put the key in it.
    """
    try:
        code = json_object(answer).get("errcode")
    except DecodeError:
        code = None
    if type(code) is not int:
        raise Unsupported("the address does not answer as a WeCom robot does")
    if code in _LATER:
        raise Unreachable(f"WeCom takes no more messages for now (errcode {code})")
    if code in _BAD_KEY:
        raise BadCredentials(f"WeCom does not know the key in the address (errcode {code})")
    if code != 0:
        raise Unsupported(f"WeCom refused the message (errcode {code})")
