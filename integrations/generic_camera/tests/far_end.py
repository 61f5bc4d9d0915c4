"""A camera's web server: one picture behind no, Basic (RFC 7617) or Digest (RFC 7616) authentication."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Literal

from aiohttp import web

JPEG = b"\xff\xd8\xff\xe0" + bytes(1_000) + b"\xff\xd9"
USER, PASSWORD = "admin", "päss"
_NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"


def camera(scheme: Literal["", "Basic", "Digest"], answer: bytes = JPEG, status: int = 200) -> web.Application:
    async def handle(request: web.Request) -> web.Response:
        said = request.headers.get("Authorization", "")
        if scheme == "Basic":
            login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if said != f"Basic {login}":
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        elif scheme == "Digest" and not _digest_is_right(request, said):
            challenge = f'Digest realm="camera", qop="auth", algorithm=SHA-256, nonce="{_NONCE}"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return web.Response(body=answer, status=status)

    app = web.Application()
    app.router.add_get("/snapshot", handle)
    return app


def _digest_is_right(request: web.Request, said: str) -> bool:
    """RFC 7616, section 3.4.1."""
    fields = {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}
    if not said.startswith("Digest ") or fields.get("nonce") != _NONCE or fields.get("uri") != request.path_qs:
        return False

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    secret = digest(f"{USER}:camera:{PASSWORD}")
    middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
    expected = digest(f"{secret}:{middle}:{digest(f'{request.method}:{request.path_qs}')}")
    return str(fields.get("response")) == expected
