"""Small HTTP servers on the loopback: same-origin only, no access log, escaped pages."""

from __future__ import annotations

import html
import ipaddress
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from integrations.sim.process import Address

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Pages load nothing from elsewhere and are shown in no frame.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

STYLE = """
:root{color-scheme:light;--ink:#1d2733;--soft:#667587;--line:#dfe5ec;--red:#c4261f;--blue:#1f5fbf;--ground:#f3f5f8}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);line-height:1.55;
 font-family:"Noto Sans CJK SC","Noto Sans SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif;font-size:16px}
header{background:#fff;border-bottom:3px solid var(--red);padding:14px 24px;display:flex;align-items:baseline;gap:12px;
 flex-wrap:wrap}
h1{font-size:21px;margin:0}h2{font-size:17px;margin:0 0 10px}
.en,small{color:var(--soft);font-size:13px;font-weight:400}
main{max-width:1180px;margin:20px auto;padding:0 20px}
.card{background:#fff;border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin:0 0 16px}
.row{display:flex;gap:12px;align-items:center;flex-wrap:wrap}
.empty{color:var(--soft);padding:18px 0;text-align:center}
.tag{background:#eaf1fb;color:var(--blue);border-radius:5px;padding:1px 8px;font-size:13px}
.tag.warn{background:#fdeceb;color:var(--red)}
audio{width:100%;height:38px;margin-top:8px}
button{font:inherit;border:1px solid #c6d0dc;background:#fff;border-radius:8px;padding:8px 16px;cursor:pointer}
button:hover{border-color:var(--blue)}button.main{background:var(--red);border-color:var(--red);color:#fff}
button:disabled{opacity:.5;cursor:default}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:6px 0 0;font-size:13px;color:#40505f}
"""


def page(zh: str, en: str, body: str, script: str = "", style: str = "") -> web.Response:
    """Wrap ``body``, which is HTML already, in a page with a title."""
    title, small = html.escape(zh), html.escape(en)
    text = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}{style}</style></head>'
        f'<body><header><h1>{title}</h1><span class="en">{small}</span></header><main>{body}</main>'
        f"<script>{script}</script></body></html>"
    )
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": POLICY})


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other sites' pages: a browser on this machine reaches the loopback for any page it shows.

    A name in Host that is not ours is DNS rebinding; a foreign Origin on a write is request forgery.
    """
    if not _is_ours(request.host):
        raise web.HTTPForbidden(text="unknown host\n")
    if request.method not in {"GET", "HEAD"}:
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.host
        if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise web.HTTPForbidden(text="requests from other sites are refused\n")
    answer = await handler(request)
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    return answer


def _is_ours(host: str) -> bool:
    """Accept addresses and ``localhost``: no name that somebody else could point at this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost":
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@asynccontextmanager
async def serving(
    routes: list[web.RouteDef], at: Address, *, limit: int = 1024 * 1024, hangs: bool = False
) -> AsyncIterator[int]:
    """Serve ``routes`` and give the port; ``limit`` is the largest body in bytes. Raises OSError.

    ``hangs``: there are answers that may never come; who waits for one no more ends it.
    """
    app = web.Application(middlewares=[same_origin], client_max_size=limit)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.3, handler_cancellation=hangs)
    await runner.setup()
    try:
        await web.TCPSite(runner, at.host, at.port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def json_body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request; anything else is answered with 400."""
    try:
        value = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="not JSON\n") from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="expected a JSON object\n")
    return value
