"""Adds building 6 to the site of the demo: ``python -m hub.demo.join HUB.YAML PORT PART…``.

A process of its own: reading and checking a site takes half a second, in which the hub's loop would hardly have a turn.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hub.demo import moving
from hub.demo.quarter import PARTS, join
from hub.model.errors import ConfigError


def main(config: str, port: str, *names: str) -> int:
    """Add the parts of these names; say why where that cannot be."""
    try:
        join(Path(config), tuple(part for part in PARTS if part.file in names), moving(int(port)))
    except ConfigError as error:
        sys.stderr.write(f"6号楼没有加入 / building 6 did not join: {error.findings[0]}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
