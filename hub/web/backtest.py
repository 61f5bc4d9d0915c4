"""The routes that try a rule on recorded history, and that say why a rule did or did not fire."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from hub.engine.explain import explain
from hub.engine.program import Program
from hub.journal.history import History
from hub.model.errors import ConfigError
from hub.model.ids import ZoneId
from hub.model.time import DAY, SECOND, Instant, isoformat
from hub.web import present, schema, words
from hub.web.apart import apart
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.findings import shown
from hub.web.handlers import answer, body
from hub.web.trial import Job, replay, watched_by

if TYPE_CHECKING:
    from pathlib import Path

    from hub.engine.explain import Explanation
    from hub.engine.rule import Rule
    from hub.engine.state import EngineState
    from hub.model.ids import EntityId
    from hub.model.site import Zone
    from hub.web.context import Context

#: Held while a backtest runs: one at a time, so that it takes one core at most.
BUSY: web.AppKey[asyncio.Lock] = web.AppKey("busy", asyncio.Lock)
#: Longest span of one backtest.
MOST = 400 * DAY


async def backtest(request: web.Request) -> web.StreamResponse:
    """Try a rule; answer with its findings, or with lines of progress and a result."""
    context = request.app[CONTEXT]
    wanted = await body(request, schema.BacktestIn)
    folder = context.folder()
    begin, end = moment(wanted.begin, "begin"), moment(wanted.end, "end")
    if not begin < end or end - begin > MOST:
        raise Refusal(400, "bad_request", f"`begin` must lie before `end`, at most {MOST // DAY} days")
    try:
        rule = folder.draft(wanted.rule, "rule")
    except ConfigError as error:
        return answer(schema.Findings("findings", "the rule does not check", shown(error.findings)), 422)
    lock = request.app[BUSY]
    if lock.locked():
        raise Refusal(409, "busy", "another backtest is running; wait until it is done")
    async with lock:
        old = folder.rule(rule.id) if wanted.against is None else folder.rule(wanted.against)
        if old is not None and wanted.against is not None:
            old = msgspec.structs.replace(old, only=rule.only, without=rule.without)
        calendar = await asyncio.to_thread(folder.calendar, (rule,))
        job = Job(context.data, folder.settings.site, calendar, rule, old, begin, end)
        return await _relay(request, job)


async def _relay(request: web.Request, job: Job) -> web.StreamResponse:
    """Pass on what the process writes; it ends with the request, however that ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    async with apart("hub.web.trial", job) as lines:
        with contextlib.suppress(ConnectionResetError):  # the page went away: nobody waits for the rest
            await response.prepare(request)
            line = b""
            async for line in lines:
                await response.write(line)
            if not _is_last(line):
                problem = schema.Problem("fault", "the backtest ended without a result")
                await response.write(msgspec.json.encode(schema.BacktestLine(progress=0.0, problem=problem)) + b"\n")
            await response.write_eof()
    return response


def _is_last(line: bytes) -> bool:
    if not line:
        return False
    read = msgspec.json.decode(line, type=schema.BacktestLine)
    return read.result is not None or read.problem is not None


async def why(request: web.Request) -> web.Response:
    """Say why a rule did or did not fire in a zone, now or at an instant of the past."""
    context = request.app[CONTEXT]
    folder = context.folder()
    rule = folder.rule(request.match_info["id"])
    place = folder.settings.site.zones.get(ZoneId(request.query.get("zone", "")))
    if rule is None or place is None:
        raise Refusal(404, "not_found", "no such rule" if rule is None else "no such zone")
    now = context.clock.now()
    at = moment(request.query["at"], "at") if "at" in request.query else None
    if at is not None and at > now:
        raise Refusal(400, "bad_request", "`at` lies in the future")
    if at is None:
        found = await _present_cause(context, rule, place, now)
    else:
        program = await asyncio.to_thread(program_of, folder, rule, place)
        found = await asyncio.to_thread(past_cause, context.data, rule, place, program, at)
    return answer(_why_out(context, found, rule, place))


async def _present_cause(context: Context, rule: Rule, place: Zone, now: Instant) -> Explanation:
    runtime = context.runtime
    entities = tuple(
        name for slot in runtime.program.slots.values() if slot.zone.id == place.id for name in slot.entities()
    )
    doubted = await asyncio.to_thread(_doubts, context.data, entities, Instant(now + 1))
    return explain(rule, place, runtime.program, runtime.state, now, doubted)


def program_of(folder: Any, rule: Rule, place: Zone) -> Program:
    """Compile a rule for one zone."""
    site = msgspec.structs.replace(folder.settings.site, zones={place.id: place})
    return Program((rule,), site, folder.calendar((rule,)))


def past_cause(data: Path, rule: Rule, place: Zone, program: Program, at: Instant) -> Explanation:
    """Say why a rule did or did not fire at an instant, by what the journal recorded. Raises JournalError."""
    history = History(data)
    try:
        entities = watched_by(program)
        end = Instant(at + 1)
        state: EngineState = replay(history, program, at, end).state
        return explain(rule, place, program, state, at, history.doubted(entities, end))
    finally:
        history.close()


def _doubts(data: Path, entities: tuple[EntityId, ...], at: Instant) -> dict[EntityId, Instant]:
    history = History(data)
    try:
        return history.doubted(entities, at)
    finally:
        history.close()


def _why_out(context: Context, found: Explanation, rule: Rule, place: Zone) -> schema.WhyOut:
    timezone = context.folder().settings.site.timezone
    return schema.WhyOut(
        rule=found.rule,
        zone=found.zone,
        at=isoformat(found.at),
        cause=found.cause,
        since=present.when(found.since),
        until=present.when(found.until),
        activation=found.activation,
        dry_run=found.dry_run,
        sentence=words.why(found, rule, timezone, lambda entity: present.entity_name(context, entity)),
        trigger=[present.witness(context, item) for item in found.trigger],
        conditions=[present.witness(context, item) for item in found.conditions],
        clear=[present.witness(context, item) for item in found.clear],
    )


def moment(text: str, name: str) -> Instant:
    """Read RFC 3339 with an offset. Raises Refusal."""
    try:
        read = datetime.fromisoformat(text)
        instant = Instant(round(read.timestamp() * SECOND)) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        instant = None
    if instant is None:
        raise Refusal(400, "bad_request", f"`{name}` must be a time with its offset, like 2026-11-01T00:00Z")
    return instant
