"""Rules on the page: their texts, drafts, versions and words. The YAML is the single truth; all of it ends there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from hub.config.merge import merge
from hub.config.rewrite import rewrite
from hub.config.rule_files import Overtaken, RuleFile, Writing, changed, file_of, rule_of, without_zones
from hub.config.rule_form import read_form, write_form
from hub.config.site import rule_files
from hub.config.yaml import loads, plain
from hub.journal.versions import Version, add_versions
from hub.model.errors import ConfigError, SpeechError
from hub.model.reading import VALUES
from hub.model.site import ROLE_CAPABILITY, Mode, ZoneKind
from hub.model.text import Text, clean
from hub.model.time import DAY, Instant
from hub.web import rule_shapes as s
from hub.web import schema, words
from hub.web.audit import USER, audit
from hub.web.context import CONTEXT, Context
from hub.web.desk_schema import PromptOut
from hub.web.errors import Refusal
from hub.web.findings import shown
from hub.web.handlers import answer, body
from hub.web.present import when
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.config.site import SiteFolder
    from hub.engine.rule import Rule
    from hub.journal.versions import Fired
    from hub.model.document import Finding

#: How long back "lately" goes in the list.
LATELY = 7 * DAY
#: Spoken in the place of variables when somebody listens to a text.
_EXAMPLES = {"{zone}": "3号楼北侧", "{area}": "3号楼", "{minutes}": "5"}
_LIBRARY = Path(__file__).parents[2] / "rules"


async def rules(request: web.Request) -> web.Response:
    """List the active rules."""
    context = request.app[CONTEXT]
    fired = await context.queries.fired(Instant(context.clock.now() - LATELY))
    return answer(schema.Page([_rule(context, rule, fired.get(rule.id)) for rule in context.folder().rules]))


def _rule(context: Context, rule: Rule, fired: Fired | None) -> s.RuleOut:
    zones = context.folder().settings.site.zones.values()
    return s.RuleOut(
        id=rule.id,
        name=rule.name,
        zone_kind=rule.zone_kind,
        zones=[zone.id for zone in zones if zone.kind is rule.zone_kind and rule.applies_to(zone.id)],
        summary=words.rule_sentence(rule),
        file=rule.file,
        enabled=rule.enabled,
        dry_run=rule.dry_run,
        last_fired=when(fired.last) if fired is not None else None,
        fired_7d=fired.lately if fired is not None else 0,
        false_share=fired.false / fired.judged if fired is not None and fired.judged else None,
    )


async def rule_file(request: web.Request) -> web.Response:
    """Give the text of one rule."""
    context = request.app[CONTEXT]
    return answer(await _file_out(context, await _file(context, request.match_info["id"])))


async def _file(context: Context, rule: str) -> RuleFile:
    file = await asyncio.to_thread(context.rule_files.find, rule)
    if file is None:
        raise Refusal(404, "not_found", "no such rule")
    return file


async def _file_out(context: Context, file: RuleFile) -> s.RuleFileOut:
    version = await _written(context, file)
    active = context.folder().rule(file.rule)
    try:
        read, _ = context.folder().look_at(loads(file.text, f"rules/{file.file}"))
    except ConfigError:
        read = None
    return s.RuleFileOut(
        id=file.rule,
        file=file.file,
        text=file.text,
        version=file.version,
        author=version.author if version is not None else "",
        reason=version.reason if version is not None else "",
        at=when(version.at) if version is not None else None,
        active=read is not None and read == active,
    )


async def _written(context: Context, file: RuleFile) -> Version | None:
    """Return who wrote a text, if it is the newest that is known of its file."""
    known = await context.queries.versions(file.file)
    return known[0] if known and known[0].text == file.text else None


async def draft(request: web.Request) -> web.Response:
    """Look at a draft; with a form, write what it changed into the text first."""
    folder = request.app[CONTEXT].folder()
    wanted: s.DraftIn = await body(request, s.DraftIn)
    try:
        return answer(await asyncio.to_thread(_look, folder, wanted))
    except RecursionError:
        raise Refusal(400, "bad_request", "the form is nested too deeply") from None


def _look(folder: SiteFolder, wanted: s.DraftIn) -> s.DraftOut:
    """Check a draft, which may take longer than the loop can wait."""
    try:
        text = wanted.text
        if wanted.form is not None:
            text = rewrite(text, write_form(wanted.form, plain(loads(text, "rule"))))
        document = loads(text, "rule")
    except ConfigError as error:
        return s.DraftOut(wanted.text, wanted.form, shown(error.findings), None)
    rule, findings = folder.look_at(document)
    summary = words.rule_sentence(rule) if rule is not None else None
    return s.DraftOut(text, read_form(plain(document)), shown(findings, document, folder.settings.site), summary)


async def save(request: web.Request) -> web.Response:
    """Write a rule, if nobody else did meanwhile and the whole set checks."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    wanted: s.SaveIn = await body(request, s.SaveIn)

    def prepare() -> list[Writing]:
        there = context.rule_files.find(name)
        new = rule_of(wanted.text)
        file = file_of(new or name) if there is None else there.file
        writings = [Writing(file, wanted.text, wanted.base)]
        if wanted.instead_of is not None:
            other = context.rule_files.find(wanted.instead_of)
            document = plain(loads(wanted.text, "rule"))
            only = read_form(document).only
            if other is None or not only:
                raise Refusal(400, "bad_request", "`instead_of` needs a rule that is there and one zone in `only`")
            writings.append(Writing(other.file, without_zones(other.text, [str(zone) for zone in only]), other.version))
        return writings

    refusal = await _write(request, prepare, wanted.reason, yours=wanted.text)
    return refusal or answer(await _file_out(context, await _file(context, rule_of(wanted.text) or name)))


async def remove(request: web.Request) -> web.Response:
    """Delete a rule; its versions stay."""
    context = request.app[CONTEXT]
    base, reason = request.query.get("base", ""), clean(request.query.get("reason", ""), 200)
    file = await _file(context, request.match_info["id"])
    refusal = await _write(request, lambda: [Writing(file.file, None, base)], reason, yours="")
    return refusal or web.Response(status=204)


async def switch(request: web.Request) -> web.Response:
    """Switch a rule on or off, or let it only rehearse: an edit like any other."""
    context = request.app[CONTEXT]
    wanted: s.SwitchIn = await body(request, s.SwitchIn)
    file = await _file(context, request.match_info["id"])
    values: dict[str, bool | None] = {}
    if wanted.enabled is not None:
        values["enabled"] = None if wanted.enabled else False
    if wanted.dry_run is not None:
        values["dry_run"] = True if wanted.dry_run else None

    def prepare() -> list[Writing]:
        return [Writing(file.file, changed(file.text, **values), file.version)]

    refusal = await _write(request, prepare, wanted.reason, yours=file.text)
    return refusal or answer(await _file_out(context, await _file(context, file.rule)))


async def _write(
    request: web.Request, prepare: Callable[[], list[Writing]], reason: str, yours: str
) -> web.Response | None:
    """Write files and keep their versions; return the answer of a refusal."""
    context, user = request.app[CONTEXT], request[USER]
    try:
        writings = await asyncio.to_thread(prepare)
        before = {one.file: await asyncio.to_thread(context.rule_files.read, one.file) for one in writings}
        await asyncio.to_thread(context.rule_files.write, writings)
    except ConfigError as error:
        return answer(_refused(error.findings), 422)
    except Overtaken as error:
        return answer(await _overtaken(context, error.now, yours), 409)
    now, why = context.clock.now(), clean(reason, 200)
    kept = []
    for writing in writings:
        old = before[writing.file]
        rule = old.rule if writing.text is None and old is not None else rule_of(writing.text or "rule: ''")
        if old is not None:  # a hand edit that nobody has seen yet must not be lost
            kept.append(Version(0, old.file, old.rule, now, "", "", old.text))
        kept.append(Version(0, writing.file, rule, now, user.name, why, writing.text))
    what = {"files": [writing.file for writing in writings], "reason": why}
    await context.journal.execute(lambda db: add_versions(db, kept))
    await audit(request, what, target=", ".join(writing.file for writing in writings))
    return None


def _refused(findings: tuple[Finding, ...]) -> schema.Findings:
    return schema.Findings("findings", "the rules do not check", shown(findings))


async def _overtaken(context: Context, now: RuleFile | None, yours: str) -> s.OvertakenOut:
    written = await _written(context, now) if now is not None else None
    return s.OvertakenOut(
        error="overtaken",
        message="somebody changed the rule meanwhile",
        yours=yours,
        theirs=now.text if now is not None else None,
        version=now.version if now is not None else "",
        author=written.author if written is not None else "",
        at=when(written.at) if written is not None else None,
    )


async def merged(request: web.Request) -> web.Response:
    """Join two edits of one text, where they do not touch the same lines."""
    wanted: s.MergeIn = await body(request, s.MergeIn)
    return answer(s.MergeOut(await asyncio.to_thread(merge, wanted.base, wanted.mine, wanted.theirs)))


async def versions(request: web.Request) -> web.Response:
    """List the texts that a rule had, newest first."""
    context, rule = request.app[CONTEXT], request.match_info["id"]
    file = await asyncio.to_thread(context.rule_files.find, rule)
    known = await context.queries.versions(file.file if file is not None else f"{rule}.yaml")
    return answer(
        schema.Page([s.VersionOut(one.seq, when(one.at) or "", one.author, one.reason, one.text) for one in known])
    )


async def deleted(request: web.Request) -> web.Response:
    """List the rules that were deleted, with their last texts."""
    known = await request.app[CONTEXT].queries.deleted()
    return answer(
        schema.Page([s.DeletedRule(one.rule, when(one.at) or "", one.author, one.text or "") for one in known])
    )


async def library(request: web.Request) -> web.Response:
    """List the shipped rules."""
    used = {str(rule.id) for rule in request.app[CONTEXT].folder().rules}
    return answer(schema.Page(await asyncio.to_thread(_library, used)))


def _library(used: set[str]) -> list[s.LibraryRule]:
    found = []
    for path in rule_files(_LIBRARY):
        text = path.read_text("utf-8")
        form = read_form(plain(loads(text, path.name)))
        kind = next((kind for kind in ZoneKind if kind == form.zone_kind), None)
        head = " ".join(line.lstrip("# ") for line in text.splitlines()[:1] if line.startswith("#"))
        name = Text(str(form.name.zh), str(form.name.en))
        found.append(s.LibraryRule(str(form.rule), name, kind, head, text, str(form.rule) in used))
    return found


async def rule_words(request: web.Request) -> web.Response:
    """Say what the rules of this site can speak of."""
    site = request.app[CONTEXT].folder().settings.site
    roles = [
        s.RoleOut(role, capability, [str(value) for value in VALUES.get(capability, ())])
        for role, capability in ROLE_CAPABILITY.items()
    ]
    return answer(
        s.RuleWords(
            zones=[s.RuleZone(zone.id, zone.kind, zone.name, list(zone.bind)) for zone in site.zones.values()],
            roles=roles,
            contacts=[s.WordOut(contact.id, contact.name) for contact in site.contacts.values()],
            prompts=[PromptOut(prompt.id, prompt.text, prompt.urgent) for prompt in site.prompts.values()],
            modes=list(Mode),
        )
    )


async def speech(request: web.Request) -> web.Response:
    """Speak a text or a prompt as the loudspeakers would."""
    context = request.app[CONTEXT]
    wanted: s.TrialSpeech = await body(request, s.TrialSpeech)
    prompt = context.folder().settings.site.prompts.get(wanted.prompt)
    if wanted.prompt and prompt is None:
        raise Refusal(404, "not_found", "no such prompt")
    text = prompt.text.in_language(wanted.language) if prompt is not None else wanted.text
    for variable, example in _EXAMPLES.items():
        text = text.replace(variable, example)
    try:
        if prompt is not None and prompt.audio is not None:
            clip = await context.speech.prompt(context.rule_files.site / prompt.audio)
        else:
            clip = await context.speech.clip(text, wanted.language)
    except SpeechError as error:
        raise Refusal(422, "speech", str(error)) from None
    return web.Response(body=clip.wav(), content_type="audio/wav")


_VIEWER, _MANAGER = UserRole.VIEWER, UserRole.MANAGER

RULES: tuple[Route, ...] = (
    Route("GET", "/api/v1/rules", "rules", "The active rules", _VIEWER, rules, returns=schema.Page[s.RuleOut]),
    Route("GET", "/api/v1/rules/words", "rule_words", "What rules of this site can speak of", _VIEWER, rule_words,
          returns=s.RuleWords),
    Route("GET", "/api/v1/rules/library", "rule_library", "The shipped rules", _VIEWER, library,
          returns=schema.Page[s.LibraryRule]),
    Route("GET", "/api/v1/rules/deleted", "deleted_rules", "Rules that were deleted, newest first", _VIEWER, deleted,
          returns=schema.Page[s.DeletedRule]),
    Route("POST", "/api/v1/rules/draft", "draft", "Check a draft; turn text into fields and fields into text",
          _MANAGER, draft, returns=s.DraftOut, takes=s.DraftIn, act=False),
    Route("POST", "/api/v1/rules/merge", "merge", "Join two edits of one text", _MANAGER, merged, returns=s.MergeOut,
          takes=s.MergeIn, act=False),
    Route("GET", "/api/v1/rules/{id}/file", "rule_file", "The text of one rule", _VIEWER, rule_file,
          returns=s.RuleFileOut),
    Route("PUT", "/api/v1/rules/{id}/file", "save_rule", "Write a rule", _MANAGER, save, returns=s.RuleFileOut,
          takes=s.SaveIn),
    Route("DELETE", "/api/v1/rules/{id}/file", "remove_rule", "Delete a rule", _MANAGER, remove, status=204,
          query=(("base", "the version that is deleted"), ("reason", "why"))),
    Route("PUT", "/api/v1/rules/{id}/switch", "switch_rule", "On, off, or rehearsing only", _MANAGER, switch,
          returns=s.RuleFileOut, takes=s.SwitchIn),
    Route("GET", "/api/v1/rules/{id}/versions", "rule_versions", "The texts that a rule had, newest first", _VIEWER,
          versions, returns=schema.Page[s.VersionOut]),
    Route("POST", "/api/v1/speech", "speech", "Hear a text as the loudspeakers speak it", _MANAGER, speech,
          takes=s.TrialSpeech, media="audio/wav"),
)  # fmt: skip
