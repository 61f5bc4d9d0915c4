"""Sends reports by e-mail: each period once to each contact, also across restarts: the journal says what was sent.

A mail goes out again only when the hub dies between the mail server's yes and the journal's; it is then the same one
for a mail program, since its Message-ID is that of the period. What could not be sent is tried again as it was made.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import structlog
from aiohttp import web

from hub.journal.queries import add_audit
from hub.model.errors import HubError, Unsupported
from hub.model.execution import pause
from hub.model.ids import CommandKey
from hub.model.period import Period, Span, period_of
from hub.model.text import Text
from hub.model.time import HOUR, MINUTE, Instant, isoformat
from hub.sdk import Courier, Parcel
from hub.web.context import CONTEXT
from hub.web.handlers import answer
from hub.web.present import when
from hub.web.reports import PDF, draw, made
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    import sqlite3

    from hub.model.site import Contact
    from hub.web.context import Context

log = structlog.get_logger()

#: How long after its end a period is reported: at eight in the morning the night's alarms are judged.
AFTER = 8 * HOUR
#: Between two looks; and the longest wait after mails that failed, which doubles from there.
LOOK, LONGEST = MINUTE, 4 * HOUR
_ACTION, _PROBLEM = "mail_report", "reports.mail"


class Posting(msgspec.Struct, frozen=True):
    """One report that one contact is due."""

    period: Period
    contact: Contact
    due: Instant

    @property
    def target(self) -> str:
        """How the audit trail names it."""
        return f"{self.period.at} {self.contact.id}"


class PostingOut(msgspec.Struct, frozen=True):
    """What one contact gets by e-mail."""

    period: Span
    contact: Text
    last: str | None
    """The period of the last report that the mail server took; ``last_at`` says when that was."""
    last_at: str | None
    next: str
    """The period of the next one."""
    next_at: str | None


async def mail_reports(context: Context) -> None:
    """Send what is due, for ever; wait longer after each round in which something failed."""
    wait: int = LOOK
    unsent: dict[str, Parcel] = {}
    while True:
        wait = LOOK if await send_due(context, unsent) else min(wait * 2, LONGEST)
        await pause(context.clock, wait)


async def send_due(context: Context, unsent: dict[str, Parcel] | None = None) -> bool:
    """Send every report that is due and was not sent; False when one could not be. One that fails stops no other.

    ``unsent`` keeps what was made and could not be sent, by target.
    """
    failures, kept = [], {} if unsent is None else unsent
    try:
        sent = await context.queries.ask(_sent)
        due = _postings(context, context.clock.now(), ahead=False)
        for forgotten in kept.keys() - {posting.target for posting in due}:
            del kept[forgotten]
        for posting in due:
            if posting.target not in sent:
                failures += await _try(context, posting, kept)
    except HubError as error:  # the journal: nothing is sent that could not be remembered
        failures.append(str(error))
    if not failures:
        context.problems.settle(_PROBLEM)
        return True
    context.problems.raise_(
        _PROBLEM, Text(f"报表邮件未发出，稍后重试：{failures[0]}", f"A report was not mailed: {failures[0]}")
    )
    return False


async def _try(context: Context, posting: Posting, unsent: dict[str, Parcel]) -> list[str]:
    try:
        await _send(context, posting, unsent)
    except HubError as error:
        log.warning("report.not_mailed", report=posting.target, reason=str(error))
        return [str(error)]
    log.info("report.mailed", report=posting.target)
    return []


async def _send(context: Context, posting: Posting, unsent: dict[str, Parcel]) -> None:
    courier = context.registry.driver(posting.contact.notifier) if posting.contact.notifier else None
    if not isinstance(courier, Courier):
        raise Unsupported(f"{posting.contact.notifier} is not set up, or cannot send files")
    if posting.target not in unsent:
        unsent[posting.target] = await _parcel(context, posting)
    await courier.deliver(msgspec.structs.replace(unsent[posting.target], sent_at=isoformat(context.clock.now())))
    now, what = context.clock.now(), {"period": posting.period.span.value}
    await context.journal.execute(lambda db: add_audit(db, now, "hub", _ACTION, what, target=posting.target))
    del unsent[posting.target]


async def _parcel(context: Context, posting: Posting) -> Parcel:
    found = await made(context, posting.period)
    content = await draw(context, found, "pdf", "zh")
    site = context.folder().settings.site.id
    key = hashlib.sha256(f"{site} {posting.target}".encode()).hexdigest()[:32]
    return Parcel(
        key=CommandKey(key), subject=found.title.zh, text=f"{found.title.zh}（{found.subtitle.zh}），见附件。",
        sent_at="", name=f"menshen-{posting.period.at}.pdf", media=PDF, content=content,
    )  # fmt: skip


def _postings(context: Context, now: Instant, *, ahead: bool) -> list[Posting]:
    """Return, for each span and contact, the last period that is due by ``now``; ``ahead``: the one after it."""
    settings = context.folder().settings
    zone, wanted = ZoneInfo(settings.site.timezone), settings.reports
    found = []
    for span in wanted.every:
        running = period_of(span, Instant(now - AFTER), zone)
        begin, end = running.bounds(zone)
        period = running if ahead else period_of(span, Instant(begin - 1), zone)
        due = Instant((end if ahead else begin) + AFTER)
        found += [Posting(period, settings.site.contacts[name], due) for name in wanted.to]
    return found


def _sent(db: sqlite3.Connection) -> dict[str, int]:
    """Return what was sent, and when, the earliest first."""
    return dict(db.execute("SELECT target, at FROM audit WHERE action = ? AND actor = 'hub' ORDER BY seq", (_ACTION,)))


async def report_mails(request: web.Request) -> web.Response:
    """Say who gets which report by e-mail, what was sent last, and what comes next."""
    context = request.app[CONTEXT]
    sent = await context.queries.ask(_sent)
    return answer([_out(posting, sent) for posting in _postings(context, context.clock.now(), ahead=True)])


def _out(posting: Posting, sent: dict[str, int]) -> PostingOut:
    shape = len(posting.period.at)  # 2026-11, 2026-W47 and 2026-11-21 differ in length
    ats = [(target.partition(" ")[0], at) for target, at in sent.items() if target.endswith(f" {posting.contact.id}")]
    last, last_at = next(((name, at) for name, at in reversed(ats) if len(name) == shape), (None, None))
    return PostingOut(
        posting.period.span, posting.contact.name, last, None if last_at is None else when(Instant(last_at)),
        posting.period.at, when(posting.due),
    )  # fmt: skip


REPORT_MAILS: tuple[Route, ...] = (
    Route("GET", "/api/v1/reports/mails", "report_mails", "Who gets reports by e-mail, and when", UserRole.MANAGER,
          report_mails, returns=list[PostingOut]),
)  # fmt: skip
