"""``menshen doctor``: what was tried with each device, what answered, and what to do next."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from hub.model.diagnosis import Diagnosis


@click.command()
@click.option("-c", "--config", type=click.Path(path_type=Path), default=Path("hub.yaml"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="results as JSON")
def doctor(config: Path, as_json: bool) -> None:
    """Try every integration and device of a site. Stop the hub first where a device allows one connection only."""
    from hub.config.site import load_site
    from hub.model.errors import ConfigError
    from hub.ops.doctor import examine

    try:
        settings = load_site(config).settings
    except ConfigError as error:
        click.echo(f"{error}\n先改正配置 correct the configuration first: menshen check -c {config}", err=True)
        sys.exit(1)
    found = asyncio.run(examine(settings, config.parent, settings.mqtt.url))
    if as_json:
        click.echo(msgspec.json.encode({"diagnoses": found}))
    else:
        for diagnosis in found:
            _tell(diagnosis)
        ill = sum(not diagnosis.well for diagnosis in found)
        click.echo(f"{len(found) - ill} 个正常 well, {ill} 个有问题 not well")
    sys.exit(0 if all(diagnosis.well for diagnosis in found) else 1)


def _tell(diagnosis: Diagnosis) -> None:
    name = ".".join(part for part in (diagnosis.integration, diagnosis.device) if part)
    click.echo(f"{'✓' if diagnosis.well else '✗'} {name}")
    for step in diagnosis.steps:
        click.echo(f"    {'✓' if step.well else '✗'} {step.tried.zh} / {step.tried.in_language('en')}：{step.answer}")
        if step.advice is not None:
            click.echo(f"      → {step.advice.zh}")
            click.echo(f"        {step.advice.in_language('en')}")
