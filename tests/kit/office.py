"""The page's server on a free loopback port, with the parts of a real hub behind it and a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hub.actions.speech.speech import Speech
from hub.config import integrations
from hub.config.edit import SiteEditor
from hub.config.rule_files import RuleFiles
from hub.config.site import load_site
from hub.engine.program import Program
from hub.engine.state import EngineState
from hub.journal.queries import Queries, add_token
from hub.journal.store import Journal
from hub.model.roster import Roster
from hub.runtime.core import Runtime
from hub.runtime.duty import Duty
from hub.runtime.hooks import Hooks
from hub.runtime.inbox import Inbox
from hub.runtime.intake import Intake
from hub.runtime.outbox import Outbox
from hub.runtime.problems import Problems
from hub.runtime.registry import Registry
from hub.runtime.reviews import Reviews
from hub.runtime.sessions import Sessions
from hub.sdk import FirmwareKeeper
from hub.seeing.tour import Tour, TourParts
from hub.web.auth import GUARD_HEADER, Doorkeeper
from hub.web.context import Context
from hub.web.live import Live
from hub.web.metrics import Metrics
from hub.web.server import application
from hub.web.serving import Serving
from hub.web.touring import compare
from tests.kit.clock import VirtualClock
from tests.unit.config.test_site import GOOD, RULE, write

ROLES = ("viewer", "guard", "manager", "admin")
PASSWORD = "correct horse battery"
#: What a page of ours sends with every write.
GUARD = {GUARD_HEADER: "1"}


def bearer(token: str) -> dict[str, str]:
    """Return the header of a program's request."""
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Office:
    """A server and how to ask it."""

    client: TestClient[web.Request, web.Application]
    context: Context
    clock: VirtualClock

    async def ask(
        self, path: str, role: str | None = "viewer", method: str = "GET", **more: object
    ) -> aiohttp.ClientResponse:
        """Ask as a program with a token of ``role``; None asks without a token."""
        headers = dict(more.pop("headers", {}))  # type: ignore[call-overload]
        if role is not None:
            headers |= bearer(f"token-of-{role}")
        return await self.client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]

    async def sign_up(self, name: str, role: str, password: str = PASSWORD) -> int:
        """Add a user as an administrator does; return its number."""
        wanted = {"name": name, "role": role, "password": password}
        answer = await self.ask("/api/v1/users", "admin", "POST", json=wanted, headers=GUARD)
        assert answer.status == 200, await answer.text()
        return int((await answer.json())["id"])

    async def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> aiohttp.ClientResponse:
        """Sign in as a page does; the cookie stays with the client."""
        wanted = {"name": name, "password": password, **more}
        return await self.client.post("/api/v1/session", json=wanted, headers=GUARD)


@asynccontextmanager
async def office(
    folder: Path, firmware: Callable[[], FirmwareKeeper | None] = lambda: None, settings: str = GOOD
) -> AsyncIterator[Office]:
    """Open an office on a site with one lane and one rule; the token of each role is ``token-of-<role>``."""
    site = load_site(write(folder, settings + "areas: {b3: {name: 3号楼}}\n", blocked=RULE))
    data, ui = folder / "data", folder / "ui"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text("<!doctype html>page")
    (ui / "assets" / "app.js").write_text("//")
    data.mkdir()
    clock, problems, registry = VirtualClock(), Problems(), Registry()
    journal, queries, live = Journal(data), Queries(data), Live(Serving(lambda: site.settings.site))
    program = Program(site.rules, site.settings.site)
    runtime = Runtime(program, EngineState(), journal, clock, problems)
    hooks = Hooks()
    intake = Intake("mqtt", runtime, registry, (), problems)
    metrics = Metrics(clock, lambda: intake.counts)
    for listener in (live.committed, metrics.committed):
        runtime.listen(listener)
    doorkeeper = Doorkeeper(journal, queries, clock)
    context = Context(
        folder=lambda: site,
        manifests=lambda: {"mqtt_discovery": integrations.manifest("mqtt_discovery")},
        runtime=runtime,
        registry=registry,
        intake=intake,
        sessions=Sessions(runtime, registry, problems, clock, ()),
        inbox=Inbox(journal, clock, ()),
        outbox=Outbox(runtime, clock, {}),
        duty=Duty(Roster(), 0, site.duty_calendar),
        reviews=Reviews(lambda: site.settings.site, registry, runtime, clock),
        editor=SiteEditor(folder / "hub.yaml"),
        rule_files=RuleFiles(folder / "hub.yaml"),
        speech=Speech(data / "speech"),
        hooks=hooks,
        problems=problems,
        journal=journal,
        queries=queries,
        clock=clock,
        data=data,
        doorkeeper=doorkeeper,
        live=live,
        metrics=metrics,
        tour=Tour(
            TourParts(
                lambda: site.settings.site, lambda: site.settings.tour, registry, journal, queries, clock, data, compare
            )
        ),
        firmware=firmware,
    )
    for role in ROLES:
        await journal.execute(lambda db, role=role: add_token(db, role, role, f"token-of-{role}", clock.now()))  # type: ignore[misc]
    running = asyncio.create_task(runtime.run())
    server = TestServer(application(context, ui), host="127.0.0.1")
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with TestClient(server, cookie_jar=jar) as client:
            yield Office(client, context, clock)
            await live.close()
    finally:
        runtime.stop()
        await running
        doorkeeper.close()
        await queries.close()
        await journal.close()
