"""Wiring: builds the parts of a hub, starts them in order and stops them in reverse. The only place that knows all."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog
from aiohttp import web

from hub import plugins
from hub.actions.capture import Capture as CaptureExecutor
from hub.actions.evidence import EvidenceStore
from hub.actions.notify import Notify as NotifyExecutor
from hub.actions.say import Say as SayExecutor
from hub.actions.speech.speech import Speech
from hub.actions.switch import Switch as SwitchExecutor
from hub.config import integrations
from hub.config.edit import SiteEditor
from hub.config.rule_files import RuleFiles
from hub.config.site import SiteFolder, fingerprint, load_secrets, load_site
from hub.config.yaml import plain
from hub.discovery.watch import watch
from hub.engine.state import EngineState
from hub.journal.queries import Queries
from hub.journal.store import Anchor, Journal, Memory
from hub.journal.versions import note_files
from hub.model.decision import Capture, Notify, Say, Switch
from hub.model.entry import Note
from hub.model.errors import ConfigError, HubError
from hub.model.text import Text
from hub.runtime.clock import SystemClock, boot_us, current_boot_id
from hub.runtime.core import Runtime
from hub.runtime.disk import Disk
from hub.runtime.duty import Duty
from hub.runtime.health import Health
from hub.runtime.hooks import Hooks
from hub.runtime.inbox import Inbox
from hub.runtime.intake import Intake
from hub.runtime.mqtt.broker import Broker
from hub.runtime.mqtt.link import Link
from hub.runtime.outbox import Outbox
from hub.runtime.problems import Problems
from hub.runtime.registry import Registry
from hub.runtime.reports import Reports
from hub.runtime.sessions import Sessions
from hub.runtime.watch import follow_clock, follow_files
from hub.runtime.watchdog import Watchdog
from hub.web.auth import Doorkeeper
from hub.web.context import Context
from hub.web.live import Live
from hub.web.metrics import Metrics
from hub.web.server import application

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hub.config.settings import Settings
    from hub.model.site import Site
    from hub.runtime.batch import Batch

log = structlog.get_logger()

#: Seconds that open requests get when the hub stops.
GRACE = 1.0


class AlreadyRunning(HubError):
    """Another hub uses the data folder."""


class CoreDied(HubError):
    """The loop that decides has ended; the process must end, too, and be started again."""


@dataclass(slots=True)
class _Parts:
    """A hub that is built but not started."""

    config: Path
    data: Path
    folder: SiteFolder
    """The site as it was last read without a finding; hand edits replace it."""
    journal: Journal
    memory: Memory
    clock: SystemClock
    problems: Problems
    registry: Registry
    runtime: Runtime
    intake: Intake
    speech: Speech
    sessions: Sessions
    lender: plugins.Lender
    outbox: Outbox
    inbox: Inbox
    duty: Duty
    manifests: dict[str, integrations.Manifest] = field(default_factory=dict)


async def serve(config: Path, data: Path, port: int | None, ready: Callable[[str], None], end: asyncio.Event) -> None:
    """Run a hub until ``end``; ``ready`` is called with the address of its page.

    Raises ConfigError, AlreadyRunning, BrokerError, JournalError or OSError (port in use) when it cannot start.
    """
    gc.disable()  # whatever is made until the hub is ready stays; looking through it costs a fifth of the start
    folder = load_site(config)
    async with AsyncExitStack() as stack:
        stack.callback(gc.enable)
        stack.callback(os.close, _lock(data))
        parts = await _build(config, data, folder, stack)
        core = await _start(parts, port, ready, stack)
        stopped = asyncio.ensure_future(end.wait())
        await asyncio.wait({core, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not end.is_set():
            raise CoreDied("the loop that decides has ended; the log says why")
        log.info("hub.stopping")
    log.info("hub.stopped")


def _lock(data: Path) -> int:
    """Keep a second hub away from the data folder; the lock goes with the process, however it ends."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(data / "hub.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise AlreadyRunning(f"another hub runs on {data}; stop it first, or give --data another folder") from None
    return descriptor


async def _build(config: Path, data: Path, folder: SiteFolder, stack: AsyncExitStack) -> _Parts:
    """Open the journal, restore what it remembers, and join the parts."""
    journal = Journal(data)
    stack.push_async_callback(journal.close)
    memory = journal.load()
    clock = _resume_clock(journal, memory)
    http = await stack.enter_async_context(_session())
    problems, registry = Problems(), Registry()
    state = EngineState(memory.states, memory.slots, memory.modes, memory.memories)
    runtime = Runtime(folder.program(), state, journal, clock, problems)
    intake = Intake("mqtt", runtime, registry, plugins.decoders(folder.settings, problems), problems)
    intake.restore(memory.announcements, memory.deliveries)
    inbox = Inbox(journal, clock, memory.found)
    reports = Reports(runtime, registry, problems, clock)
    lender = plugins.Lender(http, config.parent, data, reports, Hooks(), inbox.see)
    sessions = Sessions(runtime, registry, problems, clock, plugins.sessions(folder.settings, lender))
    speech = Speech(data / "speech")
    stack.push_async_callback(speech.close)
    store = EvidenceStore(data)
    parts: _Parts

    def site() -> Site:
        return parts.folder.settings.site

    duty = Duty(memory.roster, memory.roster_version, lambda statutory: parts.folder.duty_calendar(statutory))
    say = SayExecutor(site, config.parent, registry, speech, store, clock)
    outbox = Outbox(
        runtime,
        clock,
        {
            Capture: CaptureExecutor(site, registry, store, clock),
            Say: say,
            Notify: NotifyExecutor(site, lambda rule: _rule_name(parts, rule), http, registry, duty.as_role),
            Switch: SwitchExecutor(site, registry),
        },
    )
    parts = _Parts(
        config,
        data,
        folder,
        journal,
        memory,
        clock,
        problems,
        registry,
        runtime,
        intake,
        speech,
        sessions,
        lender,
        outbox,
        inbox,
        duty,
    )
    say.recall(memory.spoken)
    return parts


def _session() -> aiohttp.ClientSession:
    """Return the session that devices share; a hundred open event streams must not block the next request."""
    return aiohttp.ClientSession(trust_env=False, connector=aiohttp.TCPConnector(limit=0))


def _resume_clock(journal: Journal, memory: Memory) -> SystemClock:
    boot_id, anchor = current_boot_id(), memory.anchor
    clock = SystemClock.resume(None, "", 0) if anchor is None else SystemClock.resume(*anchor.as_tuple())
    journal.anchor = lambda: Anchor(clock.now(), boot_id, boot_us())
    return clock


async def _start(
    parts: _Parts, port: int | None, ready: Callable[[str], None], stack: AsyncExitStack
) -> asyncio.Task[None]:
    """Start the parts; each is stopped before those it needs. Return the loop that decides."""
    runtime, intake, settings = parts.runtime, parts.intake, parts.folder.settings
    queries = Queries(parts.data)
    stack.push_async_callback(queries.close)
    health, live = Health(runtime, parts.registry, parts.clock), Live()
    stack.callback(health.close)
    health.watch(runtime.state.states)
    metrics = Metrics(parts.clock, lambda: intake.counts)
    for listener in (health.heard, live.committed, metrics.committed):
        runtime.listen(listener)
    parts.problems.listen(live.problems_changed)
    runtime.dispatch_to(parts.outbox.submit, parts.outbox.begin)
    core = _background(stack, runtime.run(), stop=runtime.stop)
    await runtime.done(lambda batch: _resume(batch, parts))
    stack.push_async_callback(parts.outbox.close)
    _background(stack, parts.sessions.run())
    parts.outbox.leave(parts.memory.left)
    parts.outbox.resume(parts.memory.outbox)
    url = await _broker(parts, stack)
    password = _secret(settings.mqtt.password, parts.config.parent)
    link = Link(url, f"menshen-{settings.site.id}", intake, username=settings.mqtt.user, password=password)
    intake.attach(link)
    _background(stack, link.run())
    _background(stack, Watchdog(parts.problems, integrations.folders).run())
    _background(stack, follow_clock(runtime, parts.clock, parts.problems))
    _background(stack, Disk(parts.data, runtime, parts.problems).run())
    _background(stack, follow_files(lambda: fingerprint(parts.config), partial(_reload, parts)))
    _background(stack, _prepare_speech(parts))
    _background(stack, _prepare_duty(parts))
    _background(stack, _discover(parts))
    doorkeeper = Doorkeeper(parts.journal, queries, parts.clock)
    stack.callback(doorkeeper.close)
    _background(stack, _note_rules(parts))
    context = Context(
        folder=lambda: parts.folder,
        manifests=lambda: _manifests(parts),
        runtime=runtime,
        registry=parts.registry,
        intake=intake,
        sessions=parts.sessions,
        hooks=parts.lender.hooks,
        inbox=parts.inbox,
        outbox=parts.outbox,
        duty=parts.duty,
        editor=SiteEditor(parts.config),
        rule_files=RuleFiles(parts.config),
        speech=parts.speech,
        problems=parts.problems,
        journal=parts.journal,
        queries=queries,
        clock=parts.clock,
        data=parts.data,
        doorkeeper=doorkeeper,
        live=live,
        metrics=metrics,
        firmware=lambda: plugins.firmware(parts.folder.settings),
    )
    address = await _listen(context, settings.web.host, settings.web.port if port is None else port, stack)
    gc.enable()
    gc.freeze()  # what is there now stays: the collector need not look at 100,000 slots again and again
    log.info("hub.ready", url=address)
    ready(address)
    return core


def _resume(batch: Batch, parts: _Parts) -> None:
    """First batch: nothing heard before the restart is confirmed yet, and the rules may have been edited meanwhile."""
    batch.record(Note("hub_started", batch.now))
    anchor = parts.memory.anchor
    batch.start(batch.now if anchor is None else anchor.at)
    parts.intake.distrust(batch, "restart", restart=True)
    batch.adopt(batch.program)


async def _broker(parts: _Parts, stack: AsyncExitStack) -> str:
    """Return the URL of the broker, started here unless the site names one."""
    mqtt = parts.folder.settings.mqtt
    if mqtt.url is not None:
        return mqtt.url
    broker = Broker(mqtt.listen.host, mqtt.listen.port, parts.data / "broker")
    stack.push_async_callback(broker.stop)
    await broker.start()
    _background(stack, broker.run())
    return broker.url


async def _listen(context: Context, host: str, port: int, stack: AsyncExitStack) -> str:
    """Serve the page and the API; return the address."""
    runner = web.AppRunner(application(context, _ui()), shutdown_timeout=GRACE, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.push_async_callback(context.live.close)
    site = web.TCPSite(runner, host, port)
    await site.start()
    _, bound = runner.addresses[0][:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{bound}/"


def _ui() -> Path:
    """Return the folder of the built page."""
    return Path(__file__).parent.parent / "ui" / "dist"


def _background(
    stack: AsyncExitStack, work: Coroutine[Any, Any, None], stop: Callable[[], None] | None = None
) -> asyncio.Task[None]:
    """Run ``work`` until the hub stops; a fault in it stops nothing else, but is loud."""
    task = asyncio.create_task(work, name=getattr(work, "__qualname__", None))

    async def end() -> None:
        if stop is None:
            task.cancel()
        else:
            stop()
        with suppress(asyncio.CancelledError):
            await task

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and done.exception() is not None:
            log.critical("hub.part_died", part=done.get_name(), exc_info=done.exception())

    task.add_done_callback(ended)
    stack.push_async_callback(end)
    return task


def _secret(value: Any, site: Path) -> str | None:
    """Return the broker's password. Raises HubError when it is referenced and missing."""
    try:
        resolved = integrations.resolve(value, load_secrets(site))
    except KeyError as error:
        raise HubError(f"secrets.yaml has no `{error.args[0]}`, which `mqtt.password` refers to") from None
    return None if resolved is None else str(resolved)


async def _prepare_speech(parts: _Parts) -> None:
    """Make the sound of every sentence of the rules before it is needed."""
    rules = parts.folder.rules
    steps = [rule.actions for rule in rules] + [step.actions for rule in rules for step in rule.escalation]
    texts = {action.text.zh: None for actions in steps for action in actions if isinstance(action, Say)}
    failed = await parts.speech.prepare([(text, "zh") for text in texts])
    if failed:
        reason = str(next(iter(failed.values())))
        parts.problems.raise_("speech", Text(f"无法喊话：{reason}", f"Cannot speak: {reason}"))
        log.error("speech.unavailable", reason=reason)
    elif parts.problems.settle("speech"):
        log.info("speech.back")


async def _prepare_duty(parts: _Parts) -> None:
    """Read the table of holidays, where the on-call list needs it, before somebody must be told."""
    await asyncio.to_thread(parts.duty.calendar, parts.duty.roster)


async def _discover(parts: _Parts) -> None:
    """Look for devices that nobody configured."""
    looking = parts.folder.settings.discovery
    if looking.interfaces or looking.usb or looking.bluetooth:
        known = await asyncio.to_thread(plugins.matchers)
        await watch(known, looking.interfaces, parts.inbox.see, on_usb=looking.usb, by_bluetooth=looking.bluetooth)


async def _reload(parts: _Parts) -> None:
    """Take over a hand edit; a set with findings is refused whole and the old one stays."""
    try:
        folder = await asyncio.to_thread(load_site, parts.config)
    except ConfigError as error:
        first = str(error.findings[0])
        parts.problems.raise_(
            "rules", Text(f"新规则有误，仍用旧规则：{first}", f"Edit refused, old rules stay: {first}")
        )
        log.error("rules.refused", findings=[str(finding) for finding in error.findings[:20]])
        note = {"findings": [str(finding) for finding in error.findings[:20]]}
        parts.runtime.post(lambda batch: batch.record(Note("rules_refused", batch.now, note)))
        return
    parts.problems.settle("rules")
    if _connections(folder.settings) != _connections(parts.folder.settings):
        text = Text("连接设置已修改，重启后生效", "Connection settings were edited; restart to use them")
        parts.problems.raise_("restart", text)
    parts.folder = folder
    await _note_rules(parts)
    await parts.sessions.change(plugins.sessions(folder.settings, parts.lender))
    parts.runtime.change_rules(folder.program())
    parts.runtime.post(lambda batch: batch.record(Note("rules_changed", batch.now, {"rules": len(folder.rules)})))
    log.info("rules.changed", rules=len(folder.rules))
    await _prepare_duty(parts)
    await _prepare_speech(parts)


async def _note_rules(parts: _Parts) -> None:
    """Keep the texts of the rules that are in use now; what the page wrote is kept already."""
    rules = {Path(rule.file).name: rule.id for rule in parts.folder.rules}
    read = RuleFiles(parts.config).text
    texts = {file: (rule, await asyncio.to_thread(read, file)) for file, rule in rules.items()}
    there = {file: (rule, text) for file, (rule, text) in texts.items() if text is not None}
    await parts.journal.execute(lambda db: note_files(db, there, parts.clock.now()))


def _connections(settings: Settings) -> tuple[object, ...]:
    """Return what a running hub does not change: where it listens, its broker, what it reads there."""
    return settings.web, settings.mqtt, {name: plain(node) for name, node in settings.integrations.items()}


def _manifests(parts: _Parts) -> dict[str, integrations.Manifest]:
    """Return the manifests of what the site uses; each is read once."""
    settings = parts.folder.settings
    for domain in {*settings.integrations, *settings.devices} - parts.manifests.keys():
        parts.manifests[domain] = integrations.manifest(domain)
    return {domain: parts.manifests[domain] for domain in sorted({*settings.integrations, *settings.devices})}


def _rule_name(parts: _Parts, rule: str) -> Text:
    return next((found.name for found in parts.folder.rules if found.id == rule), Text(rule, rule))
