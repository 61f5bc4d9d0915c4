"""``menshen tls``: the certificate that the page and the broker show."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.commands.history import DATA, fail

if TYPE_CHECKING:
    from hub.runtime.certificates import Facts

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def tls() -> None:
    """The hub's certificate. Use it by `web: {tls: true}` and `mqtt: {tls: true}` in hub.yaml."""


@tls.command()
@click.option("--host", "hosts", multiple=True, help="a name or address of the hub, as often as needed")
@click.option("--cert", type=_FILE, help="use this certificate chain (PEM) instead of an own authority")
@click.option("--key", type=_FILE, help="the key of --cert (PEM, mode 0600)")
@click.option("--new-authority", is_flag=True, help="make a new authority: every browser has to be told again")
@DATA
def init(hosts: tuple[str, ...], cert: Path | None, key: Path | None, new_authority: bool, data: Path) -> None:
    """Make a certificate authority of the site's own and a certificate of the hub, or use a given certificate.

    Without --host it names this machine, its .local name and the loopback. The authority lasts 10 years, the
    certificate 397 days; a running hub renews it 60 days before its end.
    """
    from hub.model.errors import TlsError
    from hub.runtime.tls import AUTHORITY, CERTIFICATE, FOLDER

    if (cert is None) is not (key is None):
        raise click.UsageError("--cert and --key belong together")
    folder = data / FOLDER
    try:
        from hub.runtime import certificates
    except ImportError:
        fail("certificates need the extra `menshen[tls]`")
    try:
        if cert is not None and key is not None:
            _tell(certificates.use(folder, cert, key))
            return
        names = hosts or _this_machine()
        now = datetime.now(UTC)
        if (folder / AUTHORITY).is_file() and not new_authority:
            found = certificates.issue(folder, names, now)
        else:
            found = certificates.create(folder, names, now)
        _tell(found)
        click.echo(f"请在手机和电脑上信任这个证书 / have phones and computers trust: {folder / AUTHORITY}")
        click.echo(f"  SHA-256 {certificates.facts(folder / AUTHORITY).sha256}")
    except (TlsError, OSError) as error:
        fail(str(error))
    click.echo(f"  {folder / CERTIFICATE}")


def _tell(found: Facts) -> None:
    click.echo(f"{', '.join(found.hosts)}: {found.begins:%Y-%m-%d} – {found.ends:%Y-%m-%d}")


def _this_machine() -> tuple[str, ...]:
    name = socket.gethostname().lower()
    return (name, f"{name.partition('.')[0]}.local", "localhost", "127.0.0.1", "::1")
