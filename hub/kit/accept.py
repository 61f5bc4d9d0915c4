"""Writes what each recorded message becomes now as what it must become: for a person to read through, then to keep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from hub.config import integrations
from hub.kit.captures import Player, read_lines
from hub.kit.conformance import configured

if TYPE_CHECKING:
    from pathlib import Path


def accept(folder: Path) -> int:
    """Rewrite ``expect`` of every message; return how many lines changed. Raises CaptureError, ConfigError."""
    folder = folder.resolve()
    integrations.include(folder.parent)
    plugin = integrations.plugin(folder.name)
    changed = 0
    for file in sorted((folder / "captures").glob("*.jsonl")):
        lines = {line.number: line for line in read_lines(file)}
        if not any("topic" in line.said for line in lines.values()):
            continue
        player = Player(plugin, configured(plugin, list(lines.values())))
        texts = file.read_text("utf-8").split("\n")
        for number, line in lines.items():
            if "topic" not in line.said:
                continue
            found: dict[str, Any] = msgspec.to_builtins(player.play(line.message))
            if found != line.said.get("expect"):
                texts[number - 1] = json.dumps({**line.said, "expect": found}, ensure_ascii=False)
                changed += 1
        file.write_text("\n".join(texts), "utf-8")
    return changed
