"""What the handlers may use: each part under its own name, nothing global."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from hub.actions.speech.speech import Speech
from hub.config.edit import SiteEditor
from hub.config.integrations import Manifest
from hub.config.rule_files import RuleFiles
from hub.config.site import SiteFolder
from hub.journal.queries import Queries
from hub.journal.store import Journal
from hub.model.execution import Clock
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
from hub.runtime.tls import Pair
from hub.sdk import FirmwareKeeper
from hub.seeing.clocks import Clocks
from hub.seeing.eyes import Eyes
from hub.seeing.tour import Tour
from hub.web.auth import Doorkeeper
from hub.web.live import Live
from hub.web.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a running hub, as the pages see them."""

    folder: Callable[[], SiteFolder]
    manifests: Callable[[], Mapping[str, Manifest]]
    runtime: Runtime
    registry: Registry
    intake: Intake
    sessions: Sessions
    hooks: Hooks
    inbox: Inbox
    outbox: Outbox
    duty: Duty
    reviews: Reviews
    editor: SiteEditor
    rule_files: RuleFiles
    speech: Speech
    problems: Problems
    journal: Journal
    queries: Queries
    clock: Clock
    data: Path
    doorkeeper: Doorkeeper
    live: Live
    metrics: Metrics
    eyes: Eyes = field(default_factory=Eyes)
    """The cameras that see."""
    clocks: Clocks = field(default_factory=Clocks)
    """How far the clocks of devices are off."""
    tour: Tour | None = None
    """Makes the facade tours; None where nobody does."""
    firmware: Callable[[], FirmwareKeeper | None] = lambda: None
    """Keeps the firmware of the devices; None where the site has none with firmware."""
    pair: Pair | None = None
    """The certificate of the page; None where it is served by HTTP."""
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a report is counted: one at a time, so that it takes one core at most."""


CONTEXT: web.AppKey[Context] = web.AppKey("context", Context)
