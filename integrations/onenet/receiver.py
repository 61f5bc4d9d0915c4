"""Takes the pushes of one platform."""

from __future__ import annotations

import asyncio
import time

from hub.sdk import DecodeError, Push, PushAnswer, Tools, Unreachable
from integrations.onenet.bays import Place, news
from integrations.onenet.memory import Memory
from integrations.onenet.wire import Point, Status, fits, read_envelope, read_item, read_items

#: Longest ``msg`` of the address check that is answered, in characters.
_MAX_CHECK = 512
_REFUSED = PushAnswer(401, b"the signature does not fit the token")
ENCRYPTED = "the platform sends encrypted messages: choose the plain mode (明文模式) for this push there"


class Receiver:
    """Checks, reads, reports, and only then answers 200: without it the platform sends again."""

    def __init__(self, token: str, places: tuple[Place, ...], memory: Memory, tools: Tools) -> None:
        self._token = token
        self._places = places
        self._memory = memory
        self._report = tools.report
        self._one_by_one = asyncio.Lock()
        self._encrypted = asyncio.Event()

    async def take(self, push: Push) -> PushAnswer:
        """Answer one request."""
        return self._checked(push.query) if push.method == "GET" else await self._received(push.body)

    async def run(self) -> None:
        """Work until the platform turns out to send what cannot be read. Raises Unreachable."""
        await self._encrypted.wait()
        raise Unreachable(ENCRYPTED)

    def _checked(self, query: dict[str, str]) -> PushAnswer:
        """The platform asks once, when the address is entered there, and wants ``msg`` back and nothing else."""
        text = query.get("msg", "")
        signed = text.encode("utf-8", "replace")
        if len(text) > _MAX_CHECK or not fits(self._token, query.get("nonce", ""), signed, query.get("signature", "")):
            return _REFUSED
        return PushAnswer(200, signed)

    async def _received(self, body: bytes) -> PushAnswer:
        try:
            envelope = read_envelope(body)
            text = envelope.text()
        except DecodeError as error:
            return PushAnswer(400, error.reason.encode())
        if not fits(self._token, envelope.nonce, text, envelope.msg_signature or envelope.signature):
            return _REFUSED
        try:
            items = read_items(text)
        except DecodeError:
            self._encrypted.set()  # it is signed, so no stranger stops us by it
            return PushAnswer(400, ENCRYPTED.encode())
        await self._tell(_readable(items))
        return PushAnswer(200, b"ok")

    async def _tell(self, items: list[Point | Status]) -> None:
        async with self._one_by_one:  # a repeat that overtakes the first try waits, and is known then
            found = news(self._places, self._memory, items, time.time_ns() // 1_000_000)
            if found.said:
                await self._report(*found.said)
                await self._memory.keep(found.seen)


def _readable(items: list[object]) -> list[Point | Status]:
    """Leave out what is not as documented: it would not become better by being sent again."""
    found = []
    for item in items:
        try:
            read = read_item(item)
        except DecodeError:
            continue
        if read is not None:
            found.append(read)
    return found
