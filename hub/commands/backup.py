"""``menshen backup`` and ``menshen restore``: one encrypted file, made while the hub runs, and the way back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from hub.ops.backup.archive import Manifest

_CONFIG = click.option(
    "-c", "--config", type=click.Path(path_type=Path), default=Path("hub.yaml"), show_default=True, help="hub.yaml"
)
_DATA = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), show_default=True
)
_PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="file whose first line is the passphrase; without it you are asked",
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_CONFIG
@_DATA
@_PASSPHRASE
def backup(file: Path, config: Path, data: Path, passphrase_file: Path | None) -> None:
    """Write FILE: journal, evidence, rules, secrets and keys, locked by a passphrase. The hub may go on running."""
    from datetime import UTC, datetime

    from hub.model.errors import HubError
    from hub.ops.backup.sealed import MIN_PASSPHRASE, Key
    from hub.ops.backup.take import take

    passphrase = _passphrase(passphrase_file, confirm=True)
    if len(passphrase) < MIN_PASSPHRASE:
        _fail(f"口令至少 {MIN_PASSPHRASE} 个字符 the passphrase needs {MIN_PASSPHRASE} characters or more")
    try:
        made = take(config, data, file, Key(passphrase), datetime.now(UTC))
    except FileExistsError:
        _fail(f"{file} 已存在，未覆盖 exists already and was not touched: choose another name")
    except (HubError, OSError) as error:
        _fail(str(error))
    click.echo(f"已备份 backed up: {_words(made)}")
    click.echo("请把口令另外保管：没有口令谁也打不开 Keep the passphrase elsewhere: nobody opens it without")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_CONFIG
@_DATA
@_PASSPHRASE
@click.option("--check", "only_check", is_flag=True, help="read the whole backup and write nothing")
@click.option("--yes", is_flag=True, help="do not ask before the present state is replaced")
def restore(file: Path, config: Path, data: Path, passphrase_file: Path | None, *, only_check: bool, yes: bool) -> None:
    """Put the state of FILE in the place of the present one, which is kept beside it. Stop the hub first."""
    from hub.model.errors import HubError
    from hub.ops.backup.restore import OLD, examine
    from hub.ops.backup.restore import restore as put_back
    from hub.ops.backup.sealed import Key

    passphrase = _passphrase(passphrase_file, confirm=False)
    try:
        key = Key(passphrase)
        if only_check:
            click.echo(f"备份完好 the backup is whole: {_words(examine(file, key))}")
            return
        if data.exists() and not yes:
            click.confirm(f"替换 replace {data} {config}?", abort=True)
        put = put_back(file, key, config, data)
    except (HubError, OSError) as error:
        _fail(str(error))
    click.echo(f"已恢复 restored: {_words(put)}")
    click.echo(f"原来的数据在 what was there before: *{OLD}")


def finish_restore(data: Path) -> None:
    """Finish a restore that was interrupted, before a hub starts on it."""
    from hub.ops.backup.restore import finish

    if finish(data):
        click.echo("已完成上次中断的恢复 an interrupted restore was finished", err=True)


def _words(manifest: Manifest) -> str:
    size = sum(kept.size for kept in manifest.files)
    return f"{manifest.site} {manifest.made_at}, {len(manifest.files)} files, {size / 1e6:.1f} MB"


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    if file is None:
        return str(click.prompt("口令 passphrase", hide_input=True, confirmation_prompt=confirm))
    if file.stat().st_mode & 0o077:
        _fail(f"{file}: 其他用户可读 other users can read it; run: chmod 600 {file}")
    return file.read_text("utf-8").split("\n", 1)[0].rstrip("\r")


def _fail(sentence: str) -> NoReturn:
    click.echo(f"✗ {sentence}", err=True)
    sys.exit(1)
