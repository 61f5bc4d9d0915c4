"""``menshen models``: what detectors a hub has, and how a person adds one. Nothing is ever downloaded."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    help="data folder",
)


@click.group()
def models() -> None:
    """Detectors' models for cameras: list, install."""


@models.command(name="list")
@_DATA
def list_models(data: Path) -> None:
    """List the installed models, and check their files."""
    from hub.model.errors import ModelError
    from hub.vision.detect.card import CARD, check, read
    from hub.vision.detect.store import installed

    folders, bad = list(installed(data)), False
    for folder in folders:
        try:
            card = read(folder / CARD)
            check(card, folder)
        except ModelError as error:
            bad = True
            click.echo(f"✗ {folder.name}: {error}", err=True)
            continue
        click.echo(f"{card.name}: {', '.join(sorted(card.kinds))}; {card.licence}; {card.source}")
        if card.view:
            click.echo(f"    适用视角 sees well: {card.view}")
    if bad:
        sys.exit(1)
    if not folders:
        click.echo(
            "没有模型，摄像机只认“新出现且停住的大件” no model: cameras see large new things that stand still, unnamed"
        )


@models.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_DATA
def install(file: Path, data: Path) -> None:
    """Install FILE: a card (.yaml) with its files beside it, or a model that Menshen knows."""
    from hub.model.errors import ModelError
    from hub.vision.detect import store

    try:
        card = store.install(file, data)
    except ModelError as error:
        click.echo(f"✗ {error}", err=True)
        sys.exit(1)
    click.echo(f"✓ {card.name}: {', '.join(sorted(card.kinds))}")
    click.echo(f"  许可 licence: {card.licence} ({card.source})")
