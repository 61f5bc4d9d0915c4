"""``menshen import-automation``: automations of Home Assistant as rules, and a report of what could not be turned."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from hub.config.home_assistant.turn import Importer, Turned
    from hub.model.document import Finding

_FOLDER = click.Path(path_type=Path, file_okay=False)
_WORDS = {"turned": "已转换 / turned", "partly": "部分转换 / partly turned", "not": "未转换 / not turned"}


@click.command("import-automation")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), default=Path("hub.yaml"), show_default=True)
@click.option("--map", "maps", metavar="ENTITY=ZONE.ROLE", multiple=True, help="also notify.phone=CONTACT; repeatable")
@click.option("--zone", help="zone of automations that name no entity of one")
@click.option("--out", type=_FOLDER, help="folder for the rules; without it they are printed")
@click.option("--live", is_flag=True, help="leave out `dry_run: true`")
@click.option("--json", "as_json", is_flag=True, help="for a program to read")
def import_automation(
    files: tuple[Path, ...],
    config: Path,
    maps: tuple[str, ...],
    zone: str | None,
    out: Path | None,
    live: bool,
    as_json: bool,
) -> None:
    """Turn Home Assistant automations in FILE... into rules of the site."""
    from hub.config.home_assistant.read import load_automations
    from hub.model.errors import ConfigError

    importer = _importer(config, maps, zone, live=live)
    turned: list[Turned] = []
    findings: list[Finding] = []
    for path in files:
        try:
            turned += [importer.turn(node) for node in load_automations(path)]
        except ConfigError as error:
            findings += error.findings
    if out is not None:
        findings += _save(turned, out)
    elif not as_json:
        click.echo("\n".join(f"# {one.rule.file}\n{one.text}" for each in turned for one in each.rules), nl=False)
    if as_json:
        click.echo(msgspec.json.encode({"automations": [_plain(each) for each in turned], "findings": findings}))
    else:
        _report(turned, findings, err=out is None)
    sys.exit(1 if findings or any(each.outcome != "turned" for each in turned) else 0)


def _importer(config: Path, maps: tuple[str, ...], zone: str | None, *, live: bool) -> Importer:
    """Read the site. Exits 1 when it does not check, 2 when an option names what it does not have."""
    from hub.config.home_assistant.places import read_maps
    from hub.config.home_assistant.turn import Importer
    from hub.config.site import load_site
    from hub.model.errors import ConfigError
    from hub.model.ids import ZoneId
    from hub.model.reader import suggest

    try:
        folder = load_site(config)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    site = folder.settings.site
    try:
        places = read_maps(site, maps)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--map") from None
    if zone is not None and zone not in site.zones:
        raise click.BadParameter(f"no zone `{zone}`{suggest(zone, site.zones)}", param_hint="--zone")
    return Importer(
        places,
        {rule.id for rule in folder.rules},
        sun_known=folder.settings.days.place is not None,
        live=live,
        zone=None if zone is None else ZoneId(zone),
    )


def _save(turned: list[Turned], out: Path) -> list[Finding]:
    """Write the rules; a file that is there stays as it is."""
    from hub.model.document import Finding, Mark

    findings: list[Finding] = []
    for written in (one for each in turned for one in each.rules):
        path = out / written.rule.file
        try:
            out.mkdir(parents=True, exist_ok=True)
            file = path.open("x", encoding="utf-8")
        except FileExistsError:
            findings.append(Finding(Mark(str(path), 1, 1), "is there already and was not overwritten"))
            continue
        except OSError as error:
            findings.append(Finding(Mark(str(path), 1, 1), f"cannot be written: {error.strerror}"))
            continue
        try:
            with file:
                file.write(written.text)
        except OSError as error:
            path.unlink(missing_ok=True)
            findings.append(Finding(Mark(str(path), 1, 1), f"cannot be written: {error.strerror}"))
    return findings


def _report(turned: list[Turned], findings: list[Finding], *, err: bool) -> None:
    for each in turned:
        mark, files = each.mark, ", ".join(one.rule.file for one in each.rules)
        click.echo(
            f'{mark.file}:{mark.line}:{mark.column}: {_WORDS[each.outcome]}: "{each.alias}"'
            + (f" → {files}" if files else ""),
            err=err,
        )
        for note in each.notes:
            click.echo(f"  {'✗' if note.lost else '·'} {note}", err=err)
    for finding in findings:
        click.echo(str(finding), err=err)
    counts = Counter(str(each.outcome) for each in turned)
    click.echo(
        f"已转换 {counts['turned']}，部分 {counts['partly']}，未转换 {counts['not']} / "
        f"turned {counts['turned']}, partly {counts['partly']}, not turned {counts['not']}",
        err=err,
    )


def _plain(each: Turned) -> dict[str, object]:
    return {
        "mark": each.mark,
        "alias": each.alias,
        "outcome": each.outcome,
        "rules": [{"rule": one.rule.id, "file": one.rule.file, "text": one.text} for one in each.rules],
        "notes": each.notes,
    }
