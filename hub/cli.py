"""The command ``menshen``. Exit 0: well; 1: a finding, with what to do; 2: misuse."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import msgspec

from hub import __version__
from hub.commands.author import new, record, test_integration
from hub.commands.backtest import backtest
from hub.commands.backup import backup, finish_restore, restore
from hub.commands.broker import broker
from hub.commands.doctor import doctor
from hub.commands.evidence import evidence
from hub.commands.firmware import firmware
from hub.commands.import_automation import import_automation
from hub.commands.models import models
from hub.commands.story import story
from hub.commands.tls import tls
from hub.commands.users import first_run_words, make_first_code, make_token, users
from hub.commands.why import why

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = click.option(
    "-c", "--config", type=click.Path(path_type=Path), default=Path("hub.yaml"), show_default=True, help="hub.yaml"
)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_GUEST = click.Path(path_type=Path, file_okay=False, exists=True)
DATA = click.option("--data", type=_FOLDER, default=Path("data"), show_default=True, help="data folder")
PORT = click.option("--port", type=click.IntRange(0, 65535), help="port of the page; 0 takes any free one")


@click.group()
@click.version_option(__version__, prog_name="menshen")
def main() -> None:
    """门神 Menshen: the hub that guards residential communities."""


@main.command()
@CONFIG
@DATA
@PORT
@click.option("--log", "level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO")
@click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="write the log there, and rotate it")
def run(config: Path, data: Path, port: int | None, level: str, log_file: Path | None) -> None:
    """Run the hub of a site until SIGTERM."""
    from hub.logs import configure
    from hub.ops.supervisor import tell

    configure(level, log_file)

    def ready(url: str) -> None:
        tell("READY=1")
        click.echo(f"门神 Menshen: {url}")
        code = make_first_code(data)
        if code is not None:
            click.echo(first_run_words(code))

    _until_signal(config, data, port, ready)


@main.command()
@click.option("--data", type=_FOLDER, default=Path("data/demo"), show_default=True)
@click.option("--port", type=click.IntRange(1024, 65000), default=8420, show_default=True, help="first of 25 used")
@click.option("--auto/--no-auto", default=True, show_default=True, help="play the story once at the start")
@click.option("--small", is_flag=True, help="without building 6, which joins later and shows the other integrations")
@click.option("--with", "guests", type=_GUEST, multiple=True, help="an integration of your own that takes part")
def demo(data: Path, port: int, auto: bool, small: bool, guests: tuple[Path, ...]) -> None:
    """Run a simulated community and its hub, and play the story of a blocked fire lane."""
    from hub import demo as simulated
    from hub.demo.quarter import ALONE, find
    from hub.logs import configure
    from hub.model.errors import ConfigError

    configure("WARNING")
    try:
        quarter = ALONE if small else find()
        site = simulated.prepare(data, port, tuple(guest.absolute() for guest in guests), quarter)
    except ConfigError as error:
        raise click.ClickException("; ".join(str(finding) for finding in error.findings)) from None
    token = make_token(site.data, "demo", "admin")
    with simulated.estate(site, auto=auto):
        _until_signal(site.config, site.data, port, lambda url: click.echo(simulated.greeting(url, token, site)))


@main.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="findings as JSON")
@click.option("--strict", is_flag=True, help="exit 1 for a warning, too")
def check(config: Path, as_json: bool, strict: bool) -> None:
    """Check hub.yaml and the rules beside it; print every finding as file:line:column: sentence."""
    from hub.config.site import load_site
    from hub.model.errors import ConfigError

    gc.disable()  # nothing is thrown away before the end; looking for it costs a third of the time
    try:
        folder = load_site(config)
    except ConfigError as error:
        if as_json:
            click.echo(msgspec.json.encode({"findings": error.findings}))
        else:
            click.echo("\n".join(str(finding) for finding in error.findings))
            click.echo(f"{len(error.findings)} 处问题，规则未采用 / findings: {len(error.findings)}", err=True)
        sys.exit(1)
    finally:
        gc.enable()
    if as_json:
        click.echo(msgspec.json.encode({"findings": folder.warnings}))
    else:
        for finding in folder.warnings:
            click.echo(str(finding))
        zones, rules = len(folder.settings.site.zones), len(folder.rules)
        idle = sum(not any(zone.kind is rule.zone_kind for zone in folder.settings.site.zones.values())
                   for rule in folder.rules)  # fmt: skip
        waiting = f", {idle} of them without a zone of their kind" if idle else ""
        click.echo(f"好 / well: {zones} zones, {rules} rules{waiting}")
    sys.exit(1 if strict and folder.warnings else 0)


main.add_command(backtest)
main.add_command(backup)
main.add_command(restore)
main.add_command(why)
main.add_command(story)
main.add_command(import_automation)
main.add_command(new)
main.add_command(doctor)
main.add_command(evidence)
main.add_command(firmware)
main.add_command(test_integration)
main.add_command(record)
main.add_command(users)
main.add_command(models)
main.add_command(broker)
main.add_command(tls)


def _until_signal(config: Path, data: Path, port: int | None, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends the process at once."""
    from hub.app import serve
    from hub.model.errors import ConfigError, HubError
    from hub.ops.supervisor import beat, tell

    async def served() -> None:
        finish_restore(data)
        end, loop = asyncio.Event(), asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            tell("STOPPING=1")
            end.set()
            loop.remove_signal_handler(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        heart = asyncio.create_task(beat())
        try:
            await serve(config, data, port, ready, end)
        finally:
            heart.cancel()

    try:
        asyncio.run(served())
    except ConfigError as error:
        _fail(str(error))
    except HubError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.strerror or error}: is another program using the port? Give --port another one")


def _fail(sentence: str) -> NoReturn:
    """Print what is wrong and exit 1."""
    click.echo(sentence, err=True)
    sys.exit(1)
