"""A receiver of notifications: a guard's phone (JSON or SMS), groups of WeCom, DingTalk and Feishu, a mailbox."""

from __future__ import annotations

import argparse
import html
import json
import sys
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from integrations.sim.dingtalk_robot import Platform as DingTalk
from integrations.sim.feishu_robot import Platform as Feishu
from integrations.sim.ledger import Ledger
from integrations.sim.mail_server import MailServer
from integrations.sim.process import Life, add_address, add_login, parser, run
from integrations.sim.sms_platform import Sms
from integrations.sim.web import json_body, page, serving
from integrations.sim.wecom_robot import Platform as WeCom

#: Largest message in bytes, most messages kept.
MAX_BODY, MAX_KEPT = 256 * 1024, 1000

SCRIPT = """
const seen = document.body.querySelector('#got').dataset.seen;
setInterval(async () => {
  const got = await (await fetch('/messages')).json().catch(() => null);
  if (got && got.map(m => m.id + '.' + m.repeats).join() !== seen) location.reload();
}, 2000);
"""


@dataclass
class Received:
    """One message. ``received_at`` in seconds since 1970."""

    id: int
    key: str | None
    received_at: float
    repeats: int
    body: dict[str, Any]


class Inbox:
    """Keeps messages; the first ``fail`` requests are answered as a server in trouble does."""

    def __init__(self, fail: int, ledger: Ledger, password: str = "") -> None:
        """``password`` is what the robots of DingTalk and Feishu sign with, and the SMS account's."""
        self._fail = fail
        self._password = password
        self._ledger = ledger
        self._kept: OrderedDict[int, Received] = OrderedDict()
        self._count = 0

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get("/", self.show),
            web.post("/notify", self.notify),
            web.get("/messages", self.list),
            web.delete("/messages", self.clear),
            *WeCom(hear=partial(self.chat, "wecom")).routes(),
            *DingTalk(self._password, hear=partial(self.chat, "dingtalk")).routes(),
            *Feishu(self._password, hear=partial(self.chat, "feishu")).routes(),
            *Sms(self._password, hear=partial(self.chat, "sms")).routes(),
        ]

    async def notify(self, request: web.Request) -> web.StreamResponse:
        """Take one message; the same key twice is one message."""
        body = await json_body(request)
        if self._fail > 0:
            self._fail -= 1
            raise web.HTTPServiceUnavailable(text="try again\n", headers={"Retry-After": "1"})
        key = request.headers.get("Idempotency-Key") or None
        known = next((one for one in self._kept.values() if one.key == key), None) if key else None
        if known is not None:
            known.repeats += 1
            return web.json_response({"id": known.id, "repeat": True})
        return web.json_response({"id": self._keep(key, body).id, "repeat": False})

    def chat(self, via: str, text: str) -> None:
        """Keep what a chat robot or a phone was told, or a letter: it has no key of ours."""
        self._keep(None, {"text": text, "via": via})

    def post(self, letter: bytes) -> None:
        """Keep a letter: its subject."""
        subject = BytesParser(policy=policy.default).parsebytes(letter, headersonly=True)["Subject"]
        self.chat("email", str(subject))

    def _keep(self, key: str | None, body: dict[str, Any]) -> Received:
        self._count += 1
        one = Received(self._count, key, round(time.time(), 6), 0, body)
        self._ledger.add(**asdict(one))
        self._kept[one.id] = one
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return one

    async def list(self, _: web.Request) -> web.StreamResponse:
        """List messages, newest first."""
        return web.json_response([asdict(one) for one in reversed(self._kept.values())])

    async def clear(self, _: web.Request) -> web.StreamResponse:
        """Forget the messages."""
        self._kept.clear()
        return web.Response(status=204)

    async def show(self, _: web.Request) -> web.StreamResponse:
        """Show the page."""
        newest = list(reversed(self._kept.values()))
        seen = ",".join(f"{one.id}.{one.repeats}" for one in newest)
        cards = "".join(_card(one) for one in newest) or (
            '<div class="card empty">还没有收到通知。<br><span class="en">No notification yet.</span></div>'
        )
        body = f'<div id="got" data-seen="{seen}">{cards}</div>'
        return page("收到的通知", "Notifications received", body, SCRIPT)


def headline(body: dict[str, Any]) -> str:
    """Return the first text of a message that reads like one."""
    for name in ("title", "text", "message", "summary"):
        value = body.get(name)
        if isinstance(value, dict):
            value = value.get("zh") or next(iter(value.values()), None)
        if isinstance(value, str) and value.strip():
            return value.strip()[:200]
    return "（没有文字的通知）"


def _card(one: Received) -> str:
    when = datetime.fromtimestamp(one.received_at, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    tags = f'<span class="tag">{html.escape(one.key)}</span>' if one.key else ""
    if one.repeats:
        tags += f'<span class="tag warn">重复 {one.repeats} 次 <small>repeated</small></span>'
    raw = html.escape(json.dumps(one.body, ensure_ascii=False, indent=1))
    return (
        f'<section class="card"><div class="row"><strong>{html.escape(headline(one.body))}</strong></div>'
        f'<div class="row en">{when}{tags}</div><pre>{raw}</pre></section>'
    )


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the receiver until cancelled."""
    inbox = Inbox(arguments.fail, Ledger(arguments.ledger), arguments.password)
    post = MailServer(hear=inbox.post)
    async with serving(inbox.routes(), arguments.http, limit=MAX_BODY) as http, post.serve(arguments.smtp.port) as smtp:
        life.ready(http=http, smtp=smtp)
        await life.over.wait()


def main() -> int:
    """Read the arguments and run."""
    options = parser("webhook", __doc__)
    add_address(options, "--http", "page, list and POST /notify")
    add_address(options, "--smtp", "a mail server without log-in, on the loopback")
    add_login(options, "the SMS gateway; the robots of DingTalk and Feishu sign with the password")
    options.add_argument("--fail", type=int, default=0, metavar="N", help="answer 503 to the first N messages")
    options.add_argument("--ledger", type=Path, metavar="FILE", help="one fsynced JSON line per message")
    return run("webhook", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
