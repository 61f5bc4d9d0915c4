"""What the commands about the past share: options, local times, the rule and the zone that are named."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import click

from hub.model.time import SECOND, Instant

if TYPE_CHECKING:
    from hub.config.site import SiteFolder

CONFIG = click.option(
    "-c", "--config", type=click.Path(path_type=Path), default=Path("hub.yaml"), show_default=True, help="hub.yaml"
)
DATA = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), show_default=True,
    help="data folder",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="for a program to read")
_FORMS = "like 2026-11-01 or 2026-11-01T22:30"


def load(config: Path) -> SiteFolder:
    """Read the site; print the findings and exit 1 where it does not check."""
    from hub.config.site import load_site
    from hub.model.errors import ConfigError

    try:
        return load_site(config)
    except ConfigError as error:
        fail(str(error))


def instant(text: str | None, option: str, timezone: str, default: Instant) -> Instant:
    """Read a local time of the site. Exits 2 for what is none."""
    if text is None:
        return default
    try:
        read = datetime.fromisoformat(text)
        return Instant(round((read if read.tzinfo else read.replace(tzinfo=ZoneInfo(timezone))).timestamp() * SECOND))
    except (ValueError, OverflowError):
        raise click.BadParameter(f"`{text}` is no time; write it {_FORMS}", param_hint=option) from None


def now() -> Instant:
    """Return the wall clock."""
    return Instant(time.time_ns() // 1_000)


def fail(sentence: str) -> NoReturn:
    """Print what is wrong and exit 1."""
    click.echo(sentence, err=True)
    sys.exit(1)
