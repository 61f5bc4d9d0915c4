"""``menshen broker``: accounts of the devices that log in to the hub's own broker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.commands.history import DATA, fail

if TYPE_CHECKING:
    from hub.runtime.mqtt.accounts import Accounts


@click.group()
def broker() -> None:
    """Accounts of devices at the hub's own MQTT broker (`mqtt: {accounts: true}`). A running hub follows at once."""


@broker.command()
@click.argument("name")
@click.option("--topic", "topics", multiple=True, help="a root of its topics, as often as needed; default: NAME")
@DATA
def add(name: str, topics: tuple[str, ...], data: Path) -> None:
    """Give the device NAME an account, or a new password, and print the password: it is shown only now."""
    from hub.model.errors import BrokerError

    try:
        password = _accounts(data).add(name, topics)
    except (BrokerError, OSError) as error:
        fail(str(error))
    click.echo(f"{name}: {password}")
    click.echo("密码只显示这一次 / shown only this once", err=True)


@broker.command()
@click.argument("name")
@DATA
def remove(name: str, data: Path) -> None:
    """Take the account of NAME away; a running broker cuts its connection within a second."""
    from hub.model.errors import BrokerError

    try:
        there = _accounts(data).remove(name)
    except (BrokerError, OSError) as error:
        fail(str(error))
    if not there:
        fail(f"没有这个账号 / no account is named {name!r}")


@broker.command(name="list")
@DATA
def list_(data: Path) -> None:
    """Print the accounts and the roots of their topics."""
    from hub.model.errors import BrokerError

    try:
        accounts = _accounts(data).read()
    except BrokerError as error:
        fail(str(error))
    for name, account in sorted(accounts.items()):
        click.echo(f"{name}: {' '.join(f'{topic}/#' for topic in account.topics)}")


def _accounts(data: Path) -> Accounts:
    from hub.runtime.mqtt.accounts import Accounts

    return Accounts(data / "broker")
