"""Tells a contact: by a webhook that takes JSON, or by the contact's notifier."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from hub.model.decision import Notify as NotifyAction
from hub.model.errors import DeviceError, Unsupported
from hub.model.execution import Done
from hub.model.ids import CommandKey
from hub.model.text import Text
from hub.model.time import SECOND, Instant, isoformat
from hub.sdk import Notice, Notifier, Request, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from hub.actions.capture import Equipped
    from hub.engine.roster import OnDuty
    from hub.model.decision import Command
    from hub.model.site import Contact, Site

replace = msgspec.structs.replace
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
        on_duty: Callable[[str, Instant], tuple[OnDuty, ...]] = lambda _role, _at: (),
    ) -> None:
        """``on_duty`` tells who serves a role at an instant, in the order in which they are told."""
        self._site = site
        self._equipped = equipped
        self._rule_name = rule_name
        self._http = http
        self._on_duty = on_duty

    async def perform(self, command: Command) -> Done:
        """Send the notice once: to the first on duty who can be reached, or to the contact itself."""
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
        people = self._on_duty(contact.id, command.at)
        if not people:
            await self._tell(contact, notice)
            return Done(detail={"contact": contact.id})
        failure: DeviceError | None = None
        for number, one in enumerate(people):
            # the first has the command's own key; another person's notice is no repetition of it
            key = command.key if number == 0 else CommandKey(f"{command.key}-{number}")
            personal = replace(notice, key=key, contact=Text(one.person.name))
            try:
                await self._tell(site.contacts.get(one.person.contact, contact), personal)
            except DeviceError as error:
                failure = error
            else:
                return Done(detail={"contact": contact.id, "person": one.person.name})
        raise failure or DeviceError("nobody is on duty")

    async def _tell(self, contact: Contact, notice: Notice) -> None:
        if contact.notifier is None:
            await self._post(contact.webhook or "", notice)
            return
        notifier = self._equipped.driver(contact.notifier)
        if not isinstance(notifier, Notifier):
            raise DeviceError(f"{contact.notifier} is not set up")
        await notifier.tell(notice)

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
