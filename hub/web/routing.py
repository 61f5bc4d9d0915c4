"""One row per route: what it takes and returns, and the least role that may use it; default deny."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

from aiohttp import web


class UserRole(IntEnum):
    """Who may do what; each role may do all that the ones below it may."""

    VIEWER = 1
    GUARD = 2
    MANAGER = 3
    ADMIN = 4


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API. ``role`` None is open to everybody, and says so in the table."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    name: str
    summary: str
    role: UserRole | None
    handler: Handler
    returns: Any = None
    takes: Any = None
    media: str | None = None
    status: int = 200
    query: tuple[tuple[str, str], ...] = ()
    guarded: bool = True
    """Whether a write needs the guard header; False where no cookie gives any right."""
    act: bool = True
    """Whether a write is an act of a person, for the audit trail; a draft that is checked while it is typed is none."""
