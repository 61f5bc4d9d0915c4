"""``menshen backtest``: what a rule would have done over recorded history, and what it would do differently."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hub.commands.history import CONFIG, DATA, JSON, fail, instant, load, now
from hub.model.time import DAY, SECOND, Instant

if TYPE_CHECKING:
    from hub.config.site import SiteFolder
    from hub.engine.rule import Rule
    from hub.web.schema import BacktestLife, BacktestOut

#: Lives that the table lists for each part of it.
SHOWN = 20
_DONE = {"say": "喊话 said", "capture": "拍照 pictures", "notify": "通知 notified", "switch": "动作 switched"}
_REASON = {
    "cleared": "解除 cleared", "opposite_edge": "未到时限 over before its time", "source_unknown": "状态不明 blind",
    "rule_changed": "规则改变 rule changed", "quiet_hours": "安静时段 quiet hours",
}  # fmt: skip


@click.command()
@click.argument("rule")
@CONFIG
@DATA
@click.option("--from", "begin", metavar="TIME", help="local time of the site; default: 7 days before the end")
@click.option("--to", "end", metavar="TIME", help="default: now")
@JSON
def backtest(rule: str, config: Path, data: Path, begin: str | None, end: str | None, as_json: bool) -> None:
    """Try RULE, a file or the id of an active rule, on what the journal recorded. Nobody is warned."""
    from hub.model.errors import HubError
    from hub.web.trial import Job, run, told

    folder = load(config)
    site = folder.settings.site
    tried, old = _rule(folder, rule)
    until = instant(end, "--to", site.timezone, now())
    since = instant(begin, "--from", site.timezone, Instant(until - 7 * DAY))
    if since >= until:
        raise click.BadParameter("must lie before --to", param_hint="--from")
    job = Job(data, site, folder.calendar((tried,)), tried, old, since, until)
    try:
        with _bar() as progress:
            result = told(run(job, progress), site)
    except HubError as error:
        fail(str(error))
    click.echo(msgspec.json.encode(result) if as_json else "\n".join(_table(result, site.timezone)))


def _rule(folder: SiteFolder, name: str) -> tuple[Rule, Rule | None]:
    """Return the rule that is meant, and the active one that it would replace. Exits 1 with the findings."""
    from hub.model.errors import ConfigError
    from hub.model.reader import suggest

    active = folder.rule(name)
    if active is not None:
        return active, None
    path = Path(name)
    if not path.is_file():
        fail(f"no file and no active rule `{name}`{suggest(name, [rule.id for rule in folder.rules])}")
    try:
        draft = folder.draft(path.read_text("utf-8-sig"), path.name)
    except ConfigError as error:
        fail(str(error))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path.name} cannot be read: {error}")
    old = folder.rule(draft.id)
    return draft, None if old is None or msgspec.structs.replace(old, file=draft.file) == draft else old


@contextmanager
def _bar() -> Iterator[Callable[[float], None]]:
    """Draw a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda part: None
        return
    with click.progressbar(length=1_000, label="回放 replay", file=sys.stderr) as bar:
        yield lambda part: bar.update(max(0, round(part * 1_000) - bar.pos))


def _table(result: BacktestOut, timezone: str) -> Iterator[str]:
    """Say it as staff would read it."""
    names = {zone.zone: zone.zone_name.zh for zone in result.zones}
    yield f"规则 rule: {result.name.zh} / {result.name.in_language('en')} ({result.rule})"
    yield f"时段 span: {_local(result.begin, timezone)} – {_local(result.end, timezone)}"
    if result.dry_run:
        yield "演练规则 dry run: 只记录，不动作 / it would act on nothing"
    for zone in result.zones:
        yield ""
        yield f"{zone.zone_name.zh} / {zone.zone_name.in_language('en')} ({zone.zone})"
        yield f"  触发 fired {zone.activations} 次，未成 dropped {zone.dropped} 次，最迟 latest by {zone.late_s:g} s"
        if zone.done:
            yield "  " + "，".join(f"{_DONE.get(kind, kind)} {times}" for kind, times in sorted(zone.done.items()))
        if zone.withheld:
            kept = "，".join(f"{_REASON.get(why, why)} {times}" for why, times in sorted(zone.withheld.items()))
            yield f"  未出声 kept silent: {kept}"
        for said in zone.said:
            yield f"  “{said.text.zh}” × {said.times}"
    yield from _part("触发 activations", result.activations, names, timezone)
    compared = result.comparison
    if compared is not None:
        yield ""
        yield f"与现行规则比较 against the active rule: 相同 in both {compared.both}"
        yield from _part("只有新规则触发 only the new rule", compared.only_new, names, timezone)
        yield from _part("只有旧规则触发 only the old rule", compared.only_old, names, timezone)


def _part(title: str, lives: list[BacktestLife], names: dict[str, str], timezone: str) -> Iterator[str]:
    if not lives:
        return
    yield ""
    yield f"{title}: {len(lives)}"
    for life in lives[:SHOWN]:
        end = "未解除 still on" if life.cleared_at is None else _local(life.cleared_at, timezone)
        why = "" if life.reason is None else f"  {_REASON.get(life.reason, life.reason)}"
        late = f"  迟 late {life.late_s:g} s" if life.late_s else ""
        before = "  之前已触发 from before" if life.running else ""
        yield f"  {_local(life.opened_at, timezone)} – {end}  {names[life.zone]}{why}{late}{before}"
    if len(lives) > SHOWN:
        yield f"  … {len(lives) - SHOWN}（--json 全部 / all of them）"


def _local(text: str, timezone: str) -> str:
    from datetime import datetime

    from hub.web.words import moment

    return moment(Instant(round(datetime.fromisoformat(text).timestamp() * SECOND)), timezone)
