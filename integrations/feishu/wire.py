"""The message, its signature and its answer (Feishu open platform, custom bot usage guide). Pure functions."""

from __future__ import annotations

import base64
import hmac
from typing import Any

import msgspec

from hub.sdk import BadCredentials, DecodeError, Notice, Unreachable, Unsupported, json_object

#: Longest text, in characters of at most 4 bytes. The platform takes 20 KB for the whole request.
MAX_TEXT = 2000
#: "frequency limited".
_LATER = 11232
#: One number for two things: "too many request", and "Bad Request" when the body is wrong.
_LATER_OR_WRONG = 9499
#: What a person must put right, by number.
_REFUSED = {
    19001: "it does not know the token in the address",
    19021: "the signing secret is wrong, or the hub's clock more than an hour off",
    19022: "the hub's public address is not among the allowed ones",
    19024: "the notice has none of the robot's keywords; make 北京时间 one, it is in each",
}


def message(notice: Notice, secret: str, seconds: int) -> bytes:
    """Return the body of the request, signed for a moment (seconds since 1970, UTC) unless ``secret`` is empty."""
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": notice.line(MAX_TEXT)}}
    if secret:
        body |= {"timestamp": str(seconds), "sign": signature(secret, seconds)}
    return msgspec.json.encode(body)


def signature(secret: str, seconds: int) -> str:
    """Return the signature of a moment, in Base64: time and secret together are the key, and nothing is signed."""
    return base64.b64encode(hmac.digest(f"{seconds}\n{secret}".encode(), b"", "sha256")).decode()


def check(answer: bytes) -> None:
    """Read the answer: ``code``, in older ones ``StatusCode``. Raises DeviceError unless the message was taken.

    The robot's own sentence is not repeated: a lying server could put the token in it.
    """
    try:
        said = json_object(answer)
    except DecodeError:
        said = {}
    code = said.get("code", said.get("StatusCode"))
    if type(code) is not int:
        raise Unsupported("the address does not answer as a Feishu robot does")
    if code == _LATER or (code == _LATER_OR_WRONG and "too many" in str(said.get("msg"))):
        raise Unreachable(f"Feishu takes no more messages for now (code {code})")
    if code in _REFUSED:
        raise BadCredentials(f"Feishu refused: {_REFUSED[code]} (code {code})")
    if code != 0:
        raise Unsupported(f"Feishu refused the message (code {code})")
