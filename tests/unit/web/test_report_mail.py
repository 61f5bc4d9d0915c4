"""Reports by e-mail: to a real mail server, each period once, also after a restart or a server that was away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

import integrations.email as integration
from hub.config.site import load_site
from hub.model.errors import ConfigError
from hub.model.period import Span, period_of
from hub.model.text import Text
from hub.model.time import DAY, Instant
from hub.sdk import Tools
from hub.web.report_mail import AFTER, LONGEST, LOOK, mail_reports, send_due
from integrations.email.config import Config
from integrations.sim.mail_server import USER, MailServer
from tests.kit import pdf as read_pdf
from tests.kit.office import Office, office
from tests.kit.store import rows
from tests.unit.config.test_site import GOOD, RULE, findings, write

WEBHOOK = 'contacts: {guard: {name: 保安, webhook: "http://127.0.0.1:9/x"}}'
SITE = GOOD.replace(WEBHOOK, WEBHOOK.replace("}}", "}, office: {name: 物业, notifier: email.o}}"))
MONTHLY = "reports: {every: [month], to: [office]}\n"
#: Seconds that a report may take at most: two processes, beside whatever else runs.
PATIENCE = 60
SHANGHAI = ZoneInfo("Asia/Shanghai")
SENT = "SELECT actor, target FROM audit WHERE action = 'mail_report' ORDER BY seq"


@asynccontextmanager
async def mailing(folder: Path, port: int, reports: str = MONTHLY) -> AsyncIterator[Office]:
    """Open the office of a site whose reports go to the mail server on ``port``."""
    async with office(folder, settings=SITE + reports) as desk, aiohttp.ClientSession() as http:
        config = Config(name=Text("邮件"), host="127.0.0.1", port=port, sender=USER,
                        recipients=("manager@xingfuli.example",), security="none", timeout_s=5)  # fmt: skip
        equipment = await integration.connect("o", config, Tools(http, folder, folder))
        desk.context.registry.equip("email", "o", equipment)
        yield desk


def opened(server: MailServer) -> list[EmailMessage]:
    """Return the mails that the server took."""
    return [message_from_bytes(letter.data, policy=default) for letter in server.letters]


def last(span: Span, now: Instant) -> str:
    """Return the last period that is due at ``now``."""
    begin, _ = period_of(span, Instant(now - AFTER), SHANGHAI).bounds(SHANGHAI)
    return period_of(span, Instant(begin - 1), SHANGHAI).at


async def test_a_period_is_mailed_once_with_its_pdf(tmp_path: Path) -> None:
    server = MailServer()
    async with server.serve() as port, mailing(tmp_path, port) as desk:
        before = last(Span.MONTH, desk.clock.now())
        assert await send_due(desk.context)
        assert await send_due(desk.context), "what was sent is not sent again"
        (mail,) = opened(server)
        assert mail["Subject"] == f"小区 月报 {before}"
        (file,) = mail.iter_attachments()
        assert (file.get_content_type(), file.get_filename()) == ("application/pdf", f"menshen-{before}.pdf")
        assert f"小区 月报 {before}" in read_pdf.words(file.get_content())
        assert rows(desk.context.data, SENT) == [("hub", f"{before} office")]
        desk.clock.advance(32 * DAY)
        assert await send_due(desk.context)
        first, second = opened(server)
        assert second["Subject"] == f"小区 月报 {last(Span.MONTH, desk.clock.now())}" != first["Subject"]
        assert first["Message-ID"] != second["Message-ID"]


async def test_every_span_by_itself_and_not_before_its_hour(tmp_path: Path) -> None:
    server = MailServer()
    every = "reports: {every: [day, week], to: [office]}\n"
    async with server.serve() as port, mailing(tmp_path, port, every) as desk:
        assert await send_due(desk.context)
        _, midnight = period_of(Span.DAY, desk.clock.now(), SHANGHAI).bounds(SHANGHAI)
        desk.clock.advance(midnight + AFTER - 1 - desk.clock.now())
        before = len(server.letters)
        assert await send_due(desk.context)
        said = [mail["Subject"] for mail in opened(server)]
        desk.clock.advance(1)
        assert await send_due(desk.context)
        assert len(said) == before >= 2, "until eight in the morning nothing more was due"
        assert f"小区 日报 {last(Span.DAY, desk.clock.now())}" in [mail["Subject"] for mail in opened(server)[before:]]
        shown = await (await desk.ask("/api/v1/reports/mails", "manager")).json()
        day, week = shown
        assert (day["period"], day["last"]) == ("day", last(Span.DAY, desk.clock.now()))
        assert (week["period"], week["last"]) == ("week", last(Span.WEEK, desk.clock.now()))
        assert day["next"] == period_of(Span.DAY, desk.clock.now(), SHANGHAI).at
        assert day["last_at"] < day["next_at"]
        assert day["contact"]["zh"] == "物业"


async def test_a_server_that_is_away_is_tried_again_and_less_and_less_often(tmp_path: Path) -> None:
    server = MailServer(says={"MAIL": b"451 later\r\n"})
    async with server.serve() as port, mailing(tmp_path, port) as desk:
        waits: list[int] = []
        task = asyncio.create_task(mail_reports(desk.context))
        for _ in range(9):
            async with asyncio.timeout(PATIENCE):
                while not desk.clock.waiting:  # noqa: ASYNC110 - a thread and a server are waited for
                    await asyncio.sleep(0.01)
            waits.append(desk.clock.waiting[0] - desk.clock.now())
            assert "reports.mail" in desk.context.problems
            if len(waits) == 9:
                server.says.clear()
            desk.clock.advance(waits[-1])
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            while not desk.clock.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert waits == [min(LOOK * 2**n, LONGEST) for n in range(1, 10)]
        assert (len(server.letters), "reports.mail" in desk.context.problems) == (1, False)
        assert desk.clock.waiting[0] - desk.clock.now() == LOOK
        task.cancel()


async def test_without_an_account_it_says_so_and_remembers_nothing(tmp_path: Path) -> None:
    async with office(tmp_path, settings=SITE + MONTHLY) as desk:
        assert not await send_due(desk.context)
        assert "email.o" in desk.context.problems.texts()[0].zh
        assert rows(desk.context.data, SENT) == []


async def test_a_journal_that_cannot_be_read_ends_no_mailing(tmp_path: Path) -> None:
    server = MailServer()
    async with server.serve() as port, mailing(tmp_path, port) as desk:
        with closing(sqlite3.connect(desk.context.journal.path)) as db:
            db.execute("ALTER TABLE audit RENAME TO gone")
            assert not await send_due(desk.context)
            assert "no such table" in desk.context.problems.texts()[0].en
            db.execute("ALTER TABLE gone RENAME TO audit")
        assert await send_due(desk.context)
        assert (len(server.letters), "reports.mail" in desk.context.problems) == (1, False)


async def test_nobody_is_written_to_who_is_not_named(tmp_path: Path) -> None:
    async with office(tmp_path, settings=SITE) as desk:
        assert await send_due(desk.context)
        assert await (await desk.ask("/api/v1/reports/mails", "manager")).json() == []


def test_the_section_is_checked(tmp_path: Path) -> None:
    for reports, sentence in {
        "{every: [month], to: [ofice]}": "no contact `ofice`; did you mean `office`?",
        "{every: [month], to: [guard]}": "contact `guard` has no mail",
        "{every: [year], to: [office]}": "period",
        "{every: [], to: [office]}": "`every` is empty",
        "{every: [day]}": "`to`",
    }.items():
        config = write(tmp_path, f"{SITE}reports: {reports}\n", blocked=RULE)
        (finding, *_) = findings(config)
        assert sentence in finding
        with pytest.raises(ConfigError):
            load_site(config)
    settings = load_site(write(tmp_path, SITE + MONTHLY, blocked=RULE)).settings
    assert (settings.reports.every, settings.reports.to) == ((Span.MONTH,), ("office",))
