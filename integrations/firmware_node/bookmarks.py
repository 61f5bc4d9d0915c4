"""Which events of a node are in the journal, said by the journal itself: it outlives a hub that is killed. Pure.

The registry's file is written every few seconds only. What the node repeats after a crash is looked up here, so that it
is answered and not stored again. One bookmark per start of the node: ``<node id>.<boot id>`` is ``<highest> <window>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from firmware_bridge.auth import Counters
from firmware_bridge.registry import BOOTS, Record

_VALUE = re.compile(r"(\d{1,10}) ([0-9a-f]{1,16})\Z")


def after(record: Record, names: Iterable[tuple[int, int]]) -> dict[str, str]:
    """Return the bookmarks that hold once the events ``names`` (boot, seq) are committed. ``record`` stays as it is."""
    counters: dict[int, Counters] = {}
    for boot, seq in names:
        if boot not in counters:
            counters[boot] = record.committed.get(boot, Counters()).copy()
        if not counters[boot].has(seq):
            counters[boot].accept(seq)
    forgotten = sorted({*record.committed, *counters}, reverse=True)[BOOTS:]
    kept = {_key(record, boot): f"{one.highest} {one.seen:x}" for boot, one in counters.items()}
    return kept | dict.fromkeys((_key(record, boot) for boot in forgotten), "")


def restore(record: Record, bookmarks: Mapping[str, str]) -> None:
    """Bring ``record`` up to what the journal holds; bookmarks of another node under the same name say nothing."""
    for key, value in bookmarks.items():
        node, _, boot = key.partition(".")
        found = _VALUE.match(value)
        if node == record.id and boot.isdecimal() and found is not None:
            record.restore(int(boot), Counters(int(found[1]), int(found[2], 16)))


def _key(record: Record, boot: int) -> str:
    return f"{record.id}.{boot}"
