"""``menshen new``, ``test-integration`` and ``record``: the kit of those who write integrations."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.model.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import TextIOWrapper

_SIGNS = {"passed": "✓", "failed": "✗", "skipped": "–"}
_FOLDER = click.Path(path_type=Path, file_okay=False)
_OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="capture to append to"
)


@click.group()
def new() -> None:
    """Begin something new."""


@new.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(["mqtt", "http", "notifier"]), prompt="mqtt 设备 / http 设备 / notifier 通知")
@click.option("--title", default="", help="name on the page; NAME where it is left out")
@click.option("--author", default="you", show_default=True)
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("integrations"), show_default=True
)
def integration(name: str, kind: str, title: str, author: str, folder: Path) -> None:
    """Write a working integration NAME into the folder `integrations` beside hub.yaml."""
    from hub.kit.skeleton import write

    try:
        written = write(folder, name, kind, title or name, author)
    except HubError as error:
        _fail(str(error))
    for path in written:
        click.echo(path)
    click.echo(f"下一步 next: menshen test-integration {folder / name}")


@click.command("test-integration")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--accept", is_flag=True, help="write what each capture becomes now as its `expect`; read the difference!"
)
@click.option("--json", "as_json", is_flag=True, help="results as JSON")
def test_integration(folder: Path, accept: bool, as_json: bool) -> None:
    """Check that the integration in FOLDER keeps what the hub relies on."""
    from hub.kit.accept import accept as write_expected
    from hub.kit.conformance import conformance

    if accept:
        try:
            click.echo(f"{write_expected(folder)} lines written; read them with `git diff`", err=True)
        except HubError as error:
            _fail(str(error))
    results = conformance(folder)
    failed = sum(result.state == "failed" for result in results)
    if as_json:
        click.echo(msgspec.json.encode({"results": results}))
    else:
        for result in results:
            click.echo(f"{_SIGNS[result.state]} {result.check}" + (f" ({result.note})" if result.note else ""))
            for finding in result.findings:
                click.echo(f"    {finding}")
        click.echo("不合格 not conformant" if failed else "合格 conformant")
    sys.exit(1 if failed else 0)


@click.group()
def record() -> None:
    """Record real traffic into a capture; secrets are masked. Look it through before you give it away."""


@record.command()
@click.argument("filters", nargs=-1, required=True)
@click.option("--url", default="mqtt://127.0.0.1:1883", show_default=True)
@click.option("--user", default="")
@click.option("--password-file", type=click.Path(path_type=Path, exists=True), help="file that holds the password")
@click.option("--seconds", type=click.FloatRange(0.1, 86_400), default=60, show_default=True)
@_OUT
def mqtt(filters: tuple[str, ...], url: str, user: str, password_file: Path | None, seconds: float, out: Path) -> None:
    """Record what a broker passes on under the topic FILTERS."""
    from hub.kit.record import record_mqtt

    account = (user, password_file.read_text().strip() if password_file else "") if user else None
    with out.open("a", encoding="utf-8") as file:
        try:
            record_mqtt(url, filters, account, _writer(file), seconds)
        except (HubError, OSError) as error:
            _fail(f"{url}: {error}")


@record.command()
@click.argument("device")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="port on loopback; 0 takes any free one")
@_OUT
def http(device: str, port: int, out: Path) -> None:
    """Stand between the hub and the DEVICE (http://…) and record until Ctrl-C."""
    from hub.kit.record import record_http

    with out.open("a", encoding="utf-8") as file:
        try:
            asyncio.run(record_http(device, port, _writer(file), lambda url: click.echo(f"{url} → {device}")))
        except KeyboardInterrupt:
            click.echo(f"{out}", err=True)
        except OSError as error:
            _fail(str(error))


def _writer(file: TextIOWrapper) -> Callable[[dict[str, Any]], None]:
    def write(line: dict[str, Any]) -> None:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        click.echo(".", nl=False, err=True)

    return write


def _fail(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(1)
