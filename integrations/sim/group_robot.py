"""What the robots of chat groups have in common: one address, a limit of messages, and texts that arrive in a group."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web


@dataclass
class GroupRobot(ABC):
    """The platform's side of one group."""

    PATH: ClassVar[str]
    #: Names of the fields in which it says a code and a sentence.
    SAYS: ClassVar[tuple[str, str]] = ("errcode", "errmsg")
    #: What else its answers hold.
    BESIDE: ClassVar[dict[str, object]] = {}

    hear: Callable[[str], None] = field(default=lambda _: None, kw_only=True)
    """Called with each text that it takes."""
    taken: list[str] = field(default_factory=list, kw_only=True)
    """Texts in the group."""
    _times: list[float] = field(default_factory=list, kw_only=True)

    @abstractmethod
    def _judge(self, request: web.Request, body: Any) -> tuple[int, str]:
        """Take or refuse a message; return the code and the sentence that the platform answers."""

    def routes(self) -> list[web.RouteDef]:
        """Return its one route."""
        return [web.post(self.PATH, self._send)]

    def app(self) -> web.Application:
        """Return its one route, as an application."""
        app = web.Application()
        app.add_routes(self.routes())
        return app

    async def _send(self, request: web.Request) -> web.Response:
        said = dict(zip(self.SAYS, self._judge(request, await request.json()), strict=True))
        return web.json_response(said | self.BESIDE)

    def _too_fast(self, *limits: tuple[float, int]) -> bool:
        """Tell whether so many messages came in so many seconds; if not, this one counts."""
        now = asyncio.get_running_loop().time()
        if any(sum(at > now - seconds for at in self._times) >= most for seconds, most in limits):
            return True
        self._times.append(now)
        return False

    def _take(self, text: str) -> None:
        self.taken.append(text)
        self.hear(text)
