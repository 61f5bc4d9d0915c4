"""Tells a contact: by a webhook that takes JSON, or by the contact's notifier."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from hub.model.decision import Notify as NotifyAction
from hub.model.errors import DeviceError, Unsupported
from hub.model.execution import Done
from hub.model.text import Text
from hub.model.time import SECOND, Instant, isoformat
from hub.sdk import Notice, Notifier, Request, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from hub.actions.capture import Equipped
    from hub.model.decision import Command
    from hub.model.site import Site

#: Answers are only looked at for their status.
_ANSWER_LIMIT = 64 * 1024


class Notify:
    """Executor of ``notify``."""

    def __init__(
        self,
        site: Callable[[], Site],
        rule_name: Callable[[str], Text],
        http: aiohttp.ClientSession,
        equipped: Equipped,
    ) -> None:
        self._site = site
        self._equipped = equipped
        self._rule_name = rule_name
        self._http = http

    async def perform(self, command: Command) -> Done:
        """Send the notice once."""
        site = self._site()
        contact = site.contacts.get(command.action.contact) if isinstance(command.action, NotifyAction) else None
        zone = site.zones.get(command.zone)
        if contact is None or zone is None:
            raise Unsupported("the contact or the zone is no longer in hub.yaml")
        rule = self._rule_name(command.rule)
        notice = Notice(
            key=command.key,
            site=site.name,
            zone=zone.name,
            rule=command.rule,
            contact=contact.name,
            decided_at=isoformat(command.at),
            local=_local(command.at, site.timezone),
            text=Text(
                zh=f"{zone.name.zh}：{rule.zh}，喊话后仍未解除，请到现场处理。",
                en=f"{zone.name.in_language('en')}: {rule.in_language('en')} in spite of the warning. Please go there.",
            ),
        )
        if contact.notifier is None:
            await self._post(contact.webhook or "", notice)
        else:
            notifier = self._equipped.driver(contact.notifier)
            if not isinstance(notifier, Notifier):
                raise DeviceError(f"{contact.notifier} is not set up")
            await notifier.tell(notice)
        return Done(detail={"contact": contact.id})

    async def _post(self, url: str, notice: Notice) -> None:
        await fetch(
            self._http,
            Request(
                url=url,
                method="POST",
                data=msgspec.json.encode(notice),
                headers={"Content-Type": "application/json", "Idempotency-Key": notice.key},
                limit=_ANSWER_LIMIT,
            ),
        )


def _local(at: Instant, timezone: str) -> str:
    """Write a moment as people of ``timezone`` read a clock."""
    name = "北京时间" if timezone == "Asia/Shanghai" else timezone
    return f"{name} {datetime.fromtimestamp(at / SECOND, ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S}"
