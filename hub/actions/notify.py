"""Tells a contact by a webhook that takes JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.decision import Notify as NotifyAction
from hub.model.errors import Unsupported
from hub.model.execution import Done
from hub.model.text import Text
from hub.model.time import isoformat
from hub.sdk import Request, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from hub.model.decision import Command
    from hub.model.site import Site

#: Answers are only looked at for their status.
_ANSWER_LIMIT = 64 * 1024


class Notice(msgspec.Struct, frozen=True):
    """The JSON a contact receives."""

    key: str
    """Idempotency key: the same one twice is the same notice (also in the header ``Idempotency-Key``)."""
    site: Text
    zone: Text
    rule: str
    contact: Text
    decided_at: str
    text: Text


class Notify:
    """Executor of ``notify``."""

    def __init__(self, site: Callable[[], Site], rule_name: Callable[[str], Text], http: aiohttp.ClientSession) -> None:
        self._site = site
        self._rule_name = rule_name
        self._http = http

    async def perform(self, command: Command) -> Done:
        """Post the notice once."""
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
            text=Text(
                zh=f"{zone.name.zh}：{rule.zh}，喊话后仍未解除，请到现场处理。",
                en=f"{zone.name.in_language('en')}: {rule.in_language('en')} in spite of the warning. Please go there.",
            ),
        )
        await fetch(
            self._http,
            Request(
                url=contact.webhook,
                method="POST",
                data=msgspec.json.encode(notice),
                headers={"Content-Type": "application/json", "Idempotency-Key": command.key},
                limit=_ANSWER_LIMIT,
            ),
        )
        return Done(detail={"contact": contact.id})
