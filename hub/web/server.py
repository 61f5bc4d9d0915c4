"""The HTTP server: one application, one table of routes, one place that decides who may come in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from hub.model.text import clean
from hub.web import schema
from hub.web.account import WITHOUT_FACTOR
from hub.web.audit import AUDITED, USER, audit
from hub.web.auth import COOKIE, GUARD_HEADER
from hub.web.backtest import BUSY
from hub.web.context import CONTEXT, Context
from hub.web.device_tests import TESTING
from hub.web.errors import Refusal
from hub.web.gate import Gate, Guarded
from hub.web.handlers import answer
from hub.web.onlookers import ONLOOKERS, Onlookers
from hub.web.reports import RECENT, Recent
from hub.web.routes import API, OTHER
from hub.web.talk import LOOKING, Looking
from hub.web.tries import Tries

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from aiohttp.typedefs import Handler, Middleware

    from hub.model.time import Instant
    from hub.web.auth import User
    from hub.web.routing import Route

log = structlog.get_logger()

GATE: web.AppKey[Gate] = web.AppKey("gate", Gate)

#: Largest request body, in bytes; the API takes short JSON.
BODY = 64 * 1024
#: What makes the page installable lies beside it: a service worker serves the folder it lies in.
SHELL = r"sw\.js|manifest\.webmanifest|icon-(?:192|512)\.png"
#: Longest path of a file of the page, in bytes; a name longer than 255 is an error of the file system.
PATH = 255
#: Sent with every answer. Nothing inline runs, nothing foreign loads, nobody frames the page (ASVS 3.4).
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
#: Seconds for which a browser takes HTTPS only. Sent with a given certificate alone: a browser that was told so lets
#: nobody past a certificate that it does not trust, and our own authority is not trusted by everyone yet.
HSTS = 31_536_000


def application(context: Context, ui: Path) -> web.Application:
    """Build the application; ``ui`` is the folder of the built page."""
    app = web.Application(client_max_size=BODY, middlewares=[_errors, _doorkeeper(context)])
    app[CONTEXT] = context
    app[GATE] = Gate()
    app[BUSY] = asyncio.Lock()
    app[RECENT] = Recent()
    app[LOOKING], app[ONLOOKERS] = Looking(), Onlookers()
    app[TESTING] = Tries(context.clock)
    for route in (*API, *OTHER):
        app.router.add_route(route.method, route.path, route.handler, name=route.name)
    if (ui / "index.html").is_file():
        index = ui / "index.html"

        async def page(_request: web.Request) -> web.StreamResponse:
            return web.FileResponse(index, headers={"Cache-Control": "no-cache"})

        app.router.add_get("/", page, name="page")

        async def shell(request: web.Request) -> web.StreamResponse:
            file = ui / request.match_info["file"]
            if not file.is_file():
                raise web.HTTPNotFound
            return web.FileResponse(file, headers={"Cache-Control": "no-cache"})

        app.router.add_get(f"/{{file:{SHELL}}}", shell, name="shell")
        app.router.add_static("/assets", ui / "assets", name="assets")
    given = context.pair is not None and context.pair.authority is None
    headers = HEADERS | ({"Strict-Transport-Security": f"max-age={HSTS}"} if given else {})

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)

    app.on_response_prepare.append(add_headers)
    return app


async def listen(runner: web.AppRunner, host: str, port: int, tls: ssl.SSLContext | None = None) -> asyncio.Server:
    """Serve a runner that is set up, behind its gate. Raises OSError."""
    gate, handler = runner.app[GATE], runner.server
    assert handler is not None  # noqa: S101 - set_up makes it
    return await asyncio.get_running_loop().create_server(
        lambda: Guarded(gate, handler), host, port, ssl=tls, reuse_address=True, backlog=128
    )


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a Problem; never show a stack trace."""
    request.app[GATE].served(request.transport)
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer(schema.Problem(refusal.error, refusal.message), refusal.status)
    except web.HTTPException as error:
        return answer(schema.Problem("http", error.reason), error.status)
    except Exception:  # the last line of defence of one request: logged with its traceback, told without it
        log.exception("request.fault", path=request.path)
        return answer(schema.Problem("fault", "the hub made a mistake; its log says more"), 500)


def _doorkeeper(context: Context) -> Middleware:
    """Let in by the table: a route that is not in it, and no page or asset, is refused."""
    table = {route.name: route for route in (*API, *OTHER)}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.route.name
        route = table.get(name or "")
        if route is None:
            if name in {"page", "shell", "assets"} and len(request.path.encode()) <= PATH:
                return await handler(request)
            raise web.HTTPNotFound
        _same_origin(request, route)
        if route.role is not None:
            user = await context.doorkeeper.identify(request)
            if user is None:
                raise Refusal(401, "sign_in", "sign in first")
            request[USER] = user
            if route.method != "GET":
                return await _audited(request, handler, route)
            _may(user, route, context.clock.now())
        return await handler(request)

    return check


def _may(user: User, route: Route, now: Instant) -> None:
    """Raise Refusal for who may not use a route."""
    if user.factor_due is not None and now >= user.factor_due and route.name not in WITHOUT_FACTOR:
        raise Refusal(403, "factor_due", "set up the second factor first: administrators need one")
    if route.role is not None and user.role < route.role:
        raise Refusal(403, "role", f"this needs the role {route.role.name.lower()}")


async def _audited(request: web.Request, handler: Handler, route: Route) -> web.StreamResponse:
    """See to it that a write leaves a row in the audit trail, also one whose handler wrote none or that is refused."""
    target = "/".join(clean(part, 64) for part in request.match_info.values())
    try:
        _may(request[USER], route, request.app[CONTEXT].clock.now())
        response = await handler(request)
    except Refusal as refusal:
        if refusal.status != 400 and AUDITED not in request:  # what cannot be read asked for nothing
            await audit(request, target=target, outcome=refusal.error)
        raise
    if AUDITED not in request and route.act:
        await audit(request, target=target, outcome="done" if response.status < 400 else "refused")
    return response


def _same_origin(request: web.Request, route: Route) -> None:
    """Refuse what another site's page could send with our cookie: writes without the guard header, foreign sockets."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise Refusal(403, "origin", "this request came from another site")
    writes = route.method != "GET"
    bearer = "Authorization" in request.headers and COOKIE not in request.cookies
    if writes and route.guarded and not bearer and GUARD_HEADER not in request.headers:
        raise Refusal(403, "guard", f"the header {GUARD_HEADER} is missing")
