"""How long a set of rules takes to be read, checked one by one and against each other."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hub.config.site import load_site
from tests.bench.figure import Figure
from tests.kit.many_rules import write_large_site

RULES, ZONES, REPEATS = 10_000, 1_000, 20


def figures() -> Iterator[Figure]:
    """Measure one rule, then many."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        config = write_large_site(Path(name), 1, 1)
        load_site(config)
        began = time.process_time()
        for _ in range(REPEATS):
            load_site(config)
        one = (time.process_time() - began) / REPEATS * 1_000
        yield Figure("check", "check.one_ms", round(one, 2), "ms", REPEATS, "hub.yaml and one rule; want 20")
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        config = write_large_site(Path(name), RULES, ZONES)
        gc.collect()
        gc.disable()  # as `menshen check` and the start of a hub do
        began = time.perf_counter()
        folder = load_site(config)
        spent = time.perf_counter() - began
        gc.enable()
        note = f"{len(folder.rules)} files, {ZONES} zones, {len(folder.warnings)} warnings; want 2"
        yield Figure("check", "check.rules_10000_s", round(spent, 2), "s", 1, note)
