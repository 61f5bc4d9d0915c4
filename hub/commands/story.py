"""``menshen story``: play stories against rules and say where they went otherwise than they say."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="results as JSON")
def story(files: tuple[Path, ...], as_json: bool) -> None:
    """Play the story in each of FILES, or of each folder; nothing is acted on."""
    from hub.config.stories import findings

    paths = [found for file in files for found in (sorted(file.glob("*.yaml")) if file.is_dir() else [file])]
    if not paths:
        raise click.BadParameter("there is no story in it", param_hint="FILES")
    results = [(path, *findings(path)) for path in paths]
    failed = sum(bool(found) for _, _, found in results)
    if as_json:
        rows = [{"file": str(path), "name": name, "findings": found} for path, name, found in results]
        click.echo(msgspec.json.encode({"stories": rows}))
    else:
        for path, name, found in results:
            title = path.name if name is None else f"{name.zh} / {name.in_language('en')}"
            click.echo(f"{'✗' if found else '✓'} {path.stem}: {title}")
            for finding in found:
                click.echo(f"    {finding}")
        click.echo(f"{len(results) - failed} 个通过 passed, {failed} 个不符 failed")
    sys.exit(1 if failed else 0)
