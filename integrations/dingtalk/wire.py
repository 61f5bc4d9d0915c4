"""The message, its signature and its answer (DingTalk open platform, custom robots). Pure functions."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from hub.sdk import BadCredentials, DecodeError, Notice, Unreachable, Unsupported, json_object

#: Longest text, in characters of at most 4 bytes. The platform takes 20,000 bytes for the whole request.
MAX_TEXT = 2000
#: Too many messages in a minute (the platform has given it three numbers), and its own "busy".
_LATER = {130101, 410100, 660026, -1}
#: No such access_token, robot switched off, robot or group gone.
_NO_ROBOT = {300001, 300005, 400101, 400102, 400106, 400013}
#: The robot's security settings; what is wrong is only in the sentence.
_NOT_SECURE = 310000
_WHY = {
    "sign not match": "the signing secret is wrong",
    "invalid timestamp": "the hub's clock is more than an hour off",
    "keywords not in content": "the notice has none of the robot's keywords; make 北京时间 one, it is in each",
    "not in whitelist": "the hub's public address is not among the allowed ones",
}


def message(notice: Notice) -> bytes:
    """Return the body of the request."""
    return msgspec.json.encode({"msgtype": "text", "text": {"content": notice.line(MAX_TEXT)}})


def signature(secret: str, milliseconds: int) -> str:
    """Return the signature of a moment, in Base64: the secret is the key and, behind the time, what is signed."""
    digest = hmac.digest(secret.encode(), f"{milliseconds}\n{secret}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def signed(url: str, secret: str, milliseconds: int) -> str:
    """Return the address with the time (milliseconds since 1970, UTC) and its signature; unchanged without a secret."""
    if not secret:
        return url
    parts = urlsplit(url)
    query = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if key not in {"timestamp", "sign"}
    ]
    query += [("timestamp", str(milliseconds)), ("sign", signature(secret, milliseconds))]
    return parts._replace(query=urlencode(query), fragment="").geturl()


def check(answer: bytes) -> None:
    """Read the answer: the status is 200 whatever happened. Raises DeviceError unless the message was taken.

    The robot's own sentence is not repeated: a lying server could put the token in it.
    """
    try:
        said = json_object(answer)
    except DecodeError:
        said = {}
    code = said.get("errcode")
    if type(code) is not int:
        raise Unsupported("the address does not answer as a DingTalk robot does")
    if code in _LATER:
        raise Unreachable(f"DingTalk takes no more messages for now (errcode {code}); it may last ten minutes")
    if code in _NO_ROBOT:
        raise BadCredentials(f"DingTalk does not know the robot in the address, or it is switched off (errcode {code})")
    if code == _NOT_SECURE:
        raise BadCredentials(f"the robot's security settings refuse: {_why(said.get('errmsg'))} (errcode {code})")
    if code != 0:
        raise Unsupported(f"DingTalk refused the message (errcode {code})")


def _why(sentence: object) -> str:
    reasons = (reason for mark, reason in _WHY.items() if isinstance(sentence, str) and mark in sentence)
    return next(reasons, "check secret, keyword and allowed addresses")
