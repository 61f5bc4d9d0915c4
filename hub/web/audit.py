"""The audit trail: every write of a person leaves a row (hub.web.server sees to it); handlers may say more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from hub.journal.queries import add_audit
from hub.web.context import CONTEXT

if TYPE_CHECKING:
    from hub.web.auth import User

USER: web.RequestKey[User] = web.RequestKey("user", object)  # type: ignore[arg-type]
#: Whether the trail has a row of this request already.
AUDITED: web.RequestKey[bool] = web.RequestKey("audited", bool)


def is_audited(request: web.Request) -> None:
    """Note that the trail has a row of this request already, written in the transaction of what was done."""
    request[AUDITED] = True


async def audit(
    request: web.Request,
    what: dict[str, Any] | None = None,
    *,
    target: str = "",
    outcome: str = "done",
    actor: str | None = None,
) -> None:
    """Record what the sender of a request did, on what, and what came of it. Raises JournalError.

    The action is the name of the route (hub.web.routes), so that there is one word for each.
    """
    context, action = request.app[CONTEXT], request.match_info.route.name or ""
    now, address = context.clock.now(), request.remote or ""
    name = request[USER].name if actor is None else actor
    request[AUDITED] = True
    await context.journal.execute(
        lambda db: add_audit(db, now, name, action, what or {}, address=address, target=target, outcome=outcome)
    )
