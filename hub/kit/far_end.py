"""A far end on loopback that answers as a capture recorded it, or misbehaves in one of the ways that devices do."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aiohttp import web

from hub.kit.captures import CaptureError

if TYPE_CHECKING:
    from types import TracebackType

    from hub.kit.captures import Line

#: Where a redirect leads. A device that may lead the hub anywhere may lead it to the metadata of a cloud.
ELSEWHERE = "/elsewhere"
#: Bytes of the flood: more than any answer of a device.
FLOOD = 64 * 1024 * 1024
_CHUNK = bytes(64 * 1024)


class Mood(StrEnum):
    """How the far end behaves."""

    WELL = "answers as recorded"
    GONE = "is not there"
    SILENT = "accepts and never answers"
    REFUSING = "refuses the user (401)"
    FAILING = "fails (500)"
    ELSEWHERE = "redirects"
    FLOODING = "answers without end"
    GARBLED = "answers with garbage"
    DRIPPING = "answers a byte every half second"


class FarEnd:
    """A web server that plays the ``request``/``response`` lines of a capture; the last answer of a path repeats."""

    def __init__(self, lines: list[Line], mood: Mood = Mood.WELL) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        """Method, path with query, and body of each request."""
        self.url = ""
        self._mood = mood
        self._answers: dict[tuple[str, str], deque[dict[str, Any]]] = {}
        for line in lines:
            if "request" in line.said:
                try:
                    request, response = line.said["request"], line.said["response"]
                    self._answers.setdefault((request["method"], request["path"]), deque()).append(response)
                except (KeyError, TypeError) as error:
                    raise CaptureError(f"{line.file}:{line.number}: needs `request` and `response` ({error})") from None
        self._released = asyncio.Event()

    async def __aenter__(self) -> FarEnd:
        app = web.Application(client_max_size=FLOOD)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        if self._mood is Mood.GONE:
            await site.stop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs, await request.read()))
        match self._mood:
            case Mood.SILENT:
                await self._released.wait()
                return web.Response(status=503)
            case Mood.REFUSING:
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="device"'})
            case Mood.FAILING:
                return web.Response(status=500)
            case Mood.ELSEWHERE:
                return web.Response(status=302, headers={"Location": self.url + ELSEWHERE})
            case Mood.GARBLED:
                return web.Response(body=bytes(range(256)) * 4)
            case Mood.FLOODING:
                return await self._stream(request, _CHUNK, FLOOD // len(_CHUNK), 0)
            case Mood.DRIPPING:
                return await self._stream(request, b"0", 10_000, 0.5)
            case _:
                return self._recorded(request)

    def _recorded(self, request: web.Request) -> web.Response:
        answers = self._answers.get((request.method, request.path_qs)) or self._answers.get(
            (request.method, request.path)
        )
        if not answers:
            return web.Response(status=404)
        said = answers.popleft() if len(answers) > 1 else answers[0]
        body = base64.b64decode(said["body_b64"]) if "body_b64" in said else said.get("body", "").encode()
        return web.Response(status=said.get("status", 200), headers=said.get("headers", {}), body=body)

    async def _stream(self, request: web.Request, part: bytes, times: int, pause: float) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):  # the other end had enough
            for _ in range(times):
                if self._released.is_set():
                    break
                await response.write(part)
                if pause:
                    await asyncio.sleep(pause)
        return response
