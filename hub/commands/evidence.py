"""``menshen evidence``: the head of the journal's chain, its verification without a hub, the package for the police."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hub.commands.history import CONFIG, DATA, JSON, fail, load

if TYPE_CHECKING:
    from hub.journal.verify import Report

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def evidence() -> None:
    """Evidence that stands: its hash chain, its verification, its export."""


@evidence.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="verify this data folder")
@click.option("--head", help="a head that you kept, as printed")
@click.option("--key", help="the site's key that you kept, as printed (packages only)")
@click.option("--tsa-root", type=_FILE, help="certificate (PEM) of the time-stamp authority that you trust")
@JSON
def verify(
    file: Path | None, data: Path | None, head: str | None, key: str | None, tsa_root: Path | None, as_json: bool
) -> None:
    """Verify a package (FILE) or a data folder; needs no hub. Exit 0: it holds; 1: it is broken, and where."""
    from hub.journal.package import verify_package
    from hub.journal.verify import verify_folder
    from hub.model.errors import HubError

    if (file is None) is (data is None):
        raise click.UsageError("give a package or --data, one of the two")
    root = None if tsa_root is None else tsa_root.read_bytes()
    try:
        if file is not None:
            report = verify_package(file, head, key, root)
        elif data is not None:
            report = verify_folder(data, head, root)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    except HubError as error:
        fail(str(error))
    if as_json:
        click.echo(msgspec.json.encode({"holds": report.holds, "report": report}))
    else:
        _tell(report)
    sys.exit(0 if report.holds else 1)


@evidence.command()
@DATA
@click.option("--qr", is_flag=True, help="as a QR code, too")
def head(data: Path, qr: bool) -> None:
    """Print the newest head, to be kept elsewhere: on paper, in a message to somebody."""
    from contextlib import closing

    from hub.journal.store import FILE, connect
    from hub.journal.verify import grouped, latest
    from hub.model.errors import JournalError
    from hub.model.time import isoformat

    try:
        with closing(connect(data / FILE, read_only=True)) as db:
            found = latest(db)
    except JournalError as error:
        fail(str(error))
    if found is None:
        fail("the journal has no link yet: start the hub once")
    number, link, digest = found
    click.echo(f"链头 head {number} · {isoformat(link.at)}\n{grouped(digest)}")
    if qr:
        import segno

        segno.make(digest.upper()).terminal(compact=True)


@evidence.command()
@click.argument("number", type=int, metavar="ID")
@CONFIG
@DATA
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="where to; menshen-ID.zip")
def export(number: int, config: Path, data: Path, out: Path | None) -> None:
    """Write the signed package of incident ID, for the police; also while the hub runs."""
    from hub.commands.users import lend_journal
    from hub.journal.dossier import note_export
    from hub.model.errors import HubError
    from hub.runtime.clock import wall
    from hub.web.package import make_package, place_of

    settings, now, target = load(config).settings, wall(), out or Path(f"menshen-{number}.zip")
    try:
        place_of(data, settings, number)
        with lend_journal(data) as db:
            note_export(db, now, "console", number)
        with target.open("wb") as file:
            make_package(data, settings, number, "console", now, file)
    except (HubError, OSError) as error:
        fail(str(error))
    click.echo(f"{target}")


def _tell(report: Report) -> None:
    for found in report.breaks:
        click.echo(f"✗ {found.where}: {found.what}")
    for name, count in report.rows.items():
        before, erased = report.before.get(name, 0), report.erased.get(name, 0)
        more = f", {before} 链前未证 from before the chain, not proven" if before else ""
        more += f", {erased} 按期删除 erased in time" if erased else ""
        click.echo(f"  {name}: {count}{more}")
    click.echo(
        f"  files: {report.files}" + (f", {len(report.strays)} 未登记 not in the journal" if report.strays else "")
    )
    for stamp in report.stamps:
        trust = "" if stamp.trusted else "（未核对签发机构 signer not checked: give --tsa-root）"
        click.echo(f"  时间戳 time stamp: link {stamp.link} {stamp.at}{trust}")
    if not report.stamps:
        click.echo("  无外部时间戳 no external time stamp: only a head that you kept proves against rolling back")
    click.echo("✓ 完好 it holds" if report.holds else f"✗ {len(report.breaks)} 处不符 it is broken")
