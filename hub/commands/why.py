"""``menshen why``: what stood in the way of a rule in a zone, by what the journal recorded."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from hub.commands.history import CONFIG, DATA, JSON, fail, instant, load, now


@click.command()
@click.argument("rule")
@click.argument("zone")
@CONFIG
@DATA
@click.option("--at", "at", metavar="TIME", help="local time of the site; default: when the hub last wrote")
@JSON
def why(rule: str, zone: str, config: Path, data: Path, at: str | None, as_json: bool) -> None:
    """Say why RULE did or did not fire in ZONE."""
    from hub.journal.history import History
    from hub.model.errors import HubError
    from hub.model.reader import suggest
    from hub.model.text import Text
    from hub.web import words
    from hub.web.backtest import past_cause, program_of

    folder = load(config)
    site, active = folder.settings.site, folder.rule(rule)
    place = next((found for name, found in site.zones.items() if name == zone), None)
    if active is None:
        fail(f"no active rule `{rule}`{suggest(rule, [found.id for found in folder.rules])}")
    if place is None:
        fail(f"no zone `{zone}`{suggest(zone, site.zones)}")
    try:
        history = History(data)
        written = history.written() or now()
        history.close()
        moment = instant(at, "--at", site.timezone, written)
        if moment > now():
            raise click.BadParameter("lies in the future", param_hint="--at")
        found = past_cause(data, active, place, program_of(folder, active, place), moment)
    except HubError as error:
        fail(str(error))
    sentence = words.why(found, active, site.timezone, lambda entity: Text(entity, entity))
    if as_json:
        click.echo(msgspec.json.encode({"cause": found.cause, "sentence": sentence, "explanation": found}))
        return
    click.echo(f"{words.moment(moment, site.timezone)}  {sentence.zh}\n{sentence.en}")
