"""Wiring: builds the parts of a hub, starts them in order and stops them in reverse. The only place that knows all."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from hub.config.settings import Listen
from hub.config.site import SiteFolder, fingerprint, load_secrets, load_site
from hub.config.yaml import plain
from hub.discovery.watch import watch
from hub.engine.state import EngineState
from hub.journal.keeper import erase_in_time, stamp_heads
from hub.journal.lock import lock
from hub.journal.queries import Queries
from hub.journal.retention import hold
from hub.journal.store import Anchor, Journal, Memory, keep_anchor
from hub.journal.versions import note_files
from hub.model.decision import Capture, Command, Notify, Say, Switch
from hub.model.entry import Note
from hub.model.errors import ConfigError, HubError
from hub.model.text import Text
from hub.runtime.authority import ask_authority
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
from hub.runtime.reviews import Reviews
from hub.runtime.sessions import Sessions
from hub.runtime.tls import FOLDER, Keeper, pair_of
from hub.runtime.troubles import Troubles
from hub.runtime.watch import follow_clock, follow_files
from hub.runtime.watchdog import Watchdog
from hub.sdk.addresses import session
from hub.seeing.clocks import Clocks
from hub.seeing.eyes import Eyes, clip_seconds
from hub.seeing.sightings import Sightings
from hub.seeing.tour import Tour, TourParts
from hub.web.auth import Doorkeeper
from hub.web.context import Context
from hub.web.firmware import surroundings
from hub.web.gate import request_log
from hub.web.live import EDITED, Live
from hub.web.metrics import Metrics
from hub.web.report_mail import mail_reports
from hub.web.server import application
from hub.web.server import listen as serve_page
from hub.web.serving import Serving
from hub.web.touring import compare as compare_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hub.config.settings import Settings
    from hub.model.site import Site
    from hub.runtime.batch import Batch

log = structlog.get_logger()

#: Seconds that open requests get when the hub stops.
GRACE = 1.0


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
    queries: Queries
    eyes: Eyes
    troubles: Troubles
    reviews: Reviews
    manifests: dict[str, integrations.Manifest] = field(default_factory=dict)


async def serve(config: Path, data: Path, port: int | None, ready: Callable[[str], None], end: asyncio.Event) -> None:
    """Run a hub until ``end``; ``ready`` is called with the address of its page.

    Raises ConfigError, AlreadyRunning, BrokerError, JournalError or OSError (port in use) when it cannot start.
    """
    gc.disable()  # whatever is made until the hub is ready stays; looking through it costs a fifth of the start
    folder = load_site(config)
    async with AsyncExitStack() as stack:
        stack.callback(gc.enable)
        stack.callback(os.close, lock(data))
        parts = await _build(config, data, folder, stack)
        core = await _start(parts, port, ready, stack)
        stopped = asyncio.ensure_future(end.wait())
        await asyncio.wait({core, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not end.is_set():
            raise CoreDied("the loop that decides has ended; the log says why")
        log.info("hub.stopping")
    log.info("hub.stopped")


async def _build(config: Path, data: Path, folder: SiteFolder, stack: AsyncExitStack) -> _Parts:
    """Open the journal, restore what it remembers, and join the parts."""
    journal = Journal(data)
    stack.push_async_callback(journal.close)
    memory = journal.load()
    clock = _resume_clock(journal, memory)
    http = await stack.enter_async_context(session())
    problems, registry = Problems(), Registry()
    state = EngineState(memory.states, memory.slots, memory.modes, memory.memories, memory.absences)
    runtime = Runtime(folder.program(), state, journal, clock, problems)
    decoders = await plugins.decoders(folder.settings, problems, config.parent, data, stack)
    intake = Intake("mqtt", runtime, registry, decoders, problems)
    intake.restore(memory.announcements, memory.deliveries)
    await intake.recall(memory.announcements)
    inbox = Inbox(journal, clock, memory.found)
    reports = Reports(runtime, registry, problems, clock, memory.bookmarks)
    queries = Queries(data)
    stack.push_async_callback(queries.close)
    around = surroundings(clock, queries, lambda: parts.folder.settings.site.timezone)
    lender = plugins.Lender(http, config.parent, data, reports, Hooks(), inbox.see, around)
    sessions = Sessions(runtime, registry, problems, clock, plugins.sessions(folder.settings, lender))
    speech = Speech(data / "speech")
    stack.push_async_callback(speech.close)
    store = EvidenceStore(data)
    parts: _Parts
    sightings = Sightings(data, lambda: parts.folder.settings.evidence.retention)
    stack.push_async_callback(sightings.close)
    eyes = Eyes(sightings)

    def site() -> Site:
        return parts.folder.settings.site

    async def keep_fall(command: Command) -> None:
        await journal.execute(lambda db: hold(db, command.activation, clock.now(), "menshen", "fall"))

    duty = Duty(memory.roster, memory.roster_version, lambda statutory: parts.folder.duty_calendar(statutory))
    say = SayExecutor(site, config.parent, registry, speech, store, clock)
    outbox = Outbox(
        runtime,
        clock,
        {
            Capture: CaptureExecutor(site, registry, store, clock, eyes, data / "clips", keep_fall),
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
        queries,
        eyes,
        Troubles(site, registry, runtime, problems, clock),
        Reviews(site, registry, runtime, clock),
    )
    say.recall(memory.spoken)
    return parts


def _resume_clock(journal: Journal, memory: Memory) -> SystemClock:
    boot_id, anchor = current_boot_id(), memory.anchor
    clock = SystemClock.resume(None, "", 0) if anchor is None else SystemClock.resume(*anchor.as_tuple())
    journal.anchor = lambda: Anchor(clock.now(), boot_id, boot_us())
    return clock


async def _start(
    parts: _Parts, port: int | None, ready: Callable[[str], None], stack: AsyncExitStack
) -> asyncio.Task[None]:
    """Start the parts; each is stopped before those it needs. Return the loop that decides."""
    runtime, intake, settings, queries = parts.runtime, parts.intake, parts.folder.settings, parts.queries
    health, live = Health(runtime, parts.registry, parts.clock), Live(Serving(lambda: parts.folder.settings.site))
    stack.callback(health.close)
    health.watch(runtime.state.states)
    metrics = Metrics(
        parts.clock,
        lambda: intake.counts,
        runtime.state.states.values,
        lambda: len(parts.problems.texts()),
        lambda: {**runtime.waiting, "topics": intake.unconfirmed},
    )
    for listener in (health.heard, live.committed, metrics.committed):
        runtime.listen(listener)
    parts.problems.listen(live.problems_changed)
    runtime.dispatch_to(parts.outbox.submit, parts.outbox.begin)
    core = _background(stack, runtime.run(), stop=runtime.stop)
    await runtime.done(lambda batch: _resume(batch, parts))
    stack.callback(parts.troubles.close)
    parts.troubles.watch()
    parts.reviews.look()
    stack.push_async_callback(parts.outbox.close)
    _background(stack, parts.sessions.run())
    parts.outbox.leave(parts.memory.left)
    parts.outbox.resume(parts.memory.outbox)
    keeper = _keeper(settings, parts.data)
    link = await _link(parts, keeper, stack)
    intake.attach(link)
    _background(stack, link.run())
    mover = plugins.mover(settings, intake, parts.problems, (parts.config.parent, parts.data))
    stack.push_async_callback(mover.close)
    _background(stack, Watchdog(parts.problems, integrations.folders, mover.named).run())
    _background(stack, follow_clock(runtime, parts.clock, parts.problems))
    _background(stack, keep_anchor(parts.journal))
    _background(stack, Disk(parts.data, runtime, parts.problems).run())
    _background(stack, follow_files(lambda: fingerprint(parts.config), partial(_reload, parts)))
    _background(stack, _prepare_speech(parts))
    _background(stack, _prepare_duty(parts))
    _background(stack, _discover(parts))
    _background(stack, _see(parts))
    _background(
        stack,
        erase_in_time(parts.journal, parts.data, lambda: parts.folder.settings.evidence.retention, parts.clock.now),
    )
    _background(
        stack,
        stamp_heads(
            parts.journal, lambda: parts.folder.settings.evidence.tsa, partial(ask_authority, parts.lender.http)
        ),
    )
    if parts.eyes.sightings is not None:
        _background(stack, parts.eyes.sightings.erase_in_time(parts.clock.now))
    clocks = Clocks()
    _background(stack, clocks.run(parts.registry, parts.problems, parts.clock))
    tour = _tour(parts)
    _background(stack, tour.run())
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
        reviews=parts.reviews,
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
        pair=keeper.pair if keeper is not None and settings.web.tls else None,
        metrics=metrics,
        eyes=parts.eyes,
        tour=tour,
        clocks=clocks,
        firmware=lambda: plugins.firmware(parts.folder.settings),
    )
    _background(stack, mail_reports(context))
    listen = settings.web.listen if port is None else Listen(settings.web.listen.host, port)
    address = await _listen(context, listen, keeper if settings.web.tls else None, stack)
    if keeper is not None:
        _background(stack, keeper.run())
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


def _keeper(settings: Settings, data: Path) -> Keeper | None:
    """Return the keeper of the certificate, where the site asks for TLS. Raises TlsError."""
    if not settings.web.tls and not settings.mqtt.tls:
        return None

    def renewed() -> object:
        from hub.runtime import certificates  # an optional extra: only what makes certificates needs it

        return certificates.renew(data / FOLDER, datetime.now(UTC))

    pair = pair_of(data)
    if pair.authority is not None:
        renewed()
    return Keeper(pair, renewed if pair.authority is not None else lambda: None)


async def _link(parts: _Parts, keeper: Keeper | None, stack: AsyncExitStack) -> Link:
    """Return the link to the broker, which is started here unless the site names one."""
    mqtt, name = parts.folder.settings.mqtt, f"menshen-{parts.folder.settings.site.id}"
    if mqtt.url is not None:
        password = _secret(mqtt.password, parts.config.parent)
        return Link(mqtt.url, name, parts.intake, username=mqtt.user, password=password)
    broker = Broker(
        mqtt.listen.host,
        mqtt.listen.port,
        parts.data / "broker",
        accounts=mqtt.accounts,
        announced=parts.intake.announced,
        pair=keeper.pair if keeper is not None and mqtt.tls else None,
        accounts_spoilt=partial(_accounts_spoilt, parts.problems),
    )
    stack.push_async_callback(broker.stop)
    await broker.start()
    _background(stack, broker.run())
    if keeper is not None:
        keeper.reload = broker.reload
    user, password = broker.login or (None, None)
    tls = None if keeper is None else keeper.trusting
    return Link(broker.url, user or name, parts.intake, username=user, password=password, tls=tls)


def _accounts_spoilt(problems: Problems, reason: str | None) -> None:
    if reason is None:
        problems.settle("accounts")
        return
    problems.raise_("accounts", Text(f"设备账号无法读取，设备连不上：{reason}", f"No device may log in: {reason}"))


async def _listen(context: Context, listen: Listen, keeper: Keeper | None, stack: AsyncExitStack) -> str:
    """Serve the page and the API; return the address."""
    runner = web.AppRunner(application(context, _ui()), shutdown_timeout=GRACE, access_log=None, logger=request_log())
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.push_async_callback(context.live.close)
    server = await serve_page(runner, listen.host, listen.port, None if keeper is None else keeper.serving)
    stack.callback(server.close)
    bound = server.sockets[0].getsockname()[1]
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{'http' if keeper is None else 'https'}://{host}:{bound}/"


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


async def _see(parts: _Parts) -> None:
    """Watch with the cameras, as soon as the site names one that sees."""

    def site() -> Site:
        return parts.folder.settings.site

    around = parts.lender.reports, parts.runtime, parts.problems, parts.data
    await parts.eyes.open(site, parts.registry, *around, lambda: clip_seconds(parts.folder.rules))


def _tour(parts: _Parts) -> Tour:
    """Return who makes the facade tours."""
    return Tour(
        TourParts(
            lambda: parts.folder.settings.site,
            lambda: parts.folder.settings.tour,
            parts.registry,
            parts.journal,
            parts.queries,
            parts.clock,
            parts.data,
            compare_apart,
        )
    )


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
    parts.troubles.look()
    parts.reviews.look()
    parts.runtime.post(lambda batch: batch.record(Note(EDITED, batch.now, {"rules": len(folder.rules)})))
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
