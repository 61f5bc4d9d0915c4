"""A loudspeaker's web server that keeps what it was sent, behind no, Basic (RFC 7617) or Digest (RFC 7616) log-in."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

USER, PASSWORD = "admin", "päss"
_NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"


@dataclass
class Loudspeaker:
    scheme: Literal["", "Basic", "Digest"] = ""
    status: int = 200
    played: list[tuple[dict[str, str], str, str, bytes]] = field(default_factory=list)
    """Query, content type, idempotency key and body of each request that was let in."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/play", self._play)
        return app

    async def _play(self, request: web.Request) -> web.Response:
        body, said = await request.read(), request.headers.get("Authorization", "")
        if self.scheme == "Basic" and said != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="speaker"'})
        if self.scheme == "Digest" and not _digest_is_right(request, said):
            challenge = f'Digest realm="speaker", qop="auth", algorithm=MD5, nonce="{_NONCE}"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        key = request.headers.get("Idempotency-Key", "")
        self.played.append((dict(request.query), request.content_type, key, body))
        return web.Response(status=self.status)


def _digest_is_right(request: web.Request, said: str) -> bool:
    """RFC 7616, section 3.4.1, with the MD5 that most devices still use."""
    fields = {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}
    if not said.startswith("Digest ") or fields.get("nonce") != _NONCE or fields.get("uri") != request.path_qs:
        return False

    def digest(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
    expected = digest(f"{digest(f'{USER}:speaker:{PASSWORD}')}:{middle}:{digest(f'POST:{request.path_qs}')}")
    return str(fields.get("response")) == expected
