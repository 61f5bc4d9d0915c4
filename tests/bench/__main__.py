"""``python -m tests.bench``: runs all benches or those named, one line per figure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from tests.bench import (
    backtest,
    bridge,
    check,
    devices,
    engine,
    isolation,
    mqtt,
    pages,
    pipeline,
    report,
    restart,
    timers,
    vision,
    warning,
)
from tests.bench.figure import Figure

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "backtest": backtest.figures,
    "bridge": bridge.figures,
    "check": check.figures,
    "devices": devices.figures,
    "engine": engine.figures,
    "isolation": isolation.figures,
    "mqtt": mqtt.figures,
    "pages": pages.figures,
    "pipeline": pipeline.figures,
    "report": report.bench,
    "restart": restart.figures,
    "timers": timers.figures,
    "vision": vision.figures,
    "warning": warning.figures,
}


def main() -> int:
    """Run what is asked for."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)} (default: all)")
    options.add_argument("--json", action="store_true", help="one JSON object per figure")
    arguments = options.parse_args()
    unknown = set(arguments.names) - set(BENCHES)
    if unknown:
        options.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    for name in arguments.names or BENCHES:
        for figure in BENCHES[name]():
            sys.stdout.write((figure.json() if arguments.json else figure.line()) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
