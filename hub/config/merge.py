"""Joins two edits of one text: what only one of them changed is taken, what both changed is left to a person."""

from __future__ import annotations

from difflib import SequenceMatcher


def merge(base: str, mine: str, theirs: str) -> str | None:
    """Return both edits of ``base`` in one text, line by line; None when they touch the same or neighbouring lines."""
    lines = base.splitlines(keepends=True)
    changes = [(change, 0) for change in _changes(lines, mine)] + [(change, 1) for change in _changes(lines, theirs)]
    changes.sort(key=lambda found: found[0][:2])
    merged: list[str] = []
    done, side, last = 0, -1, None
    for change, who in changes:
        start, end, new = change
        if change == last:  # both made it
            continue
        if last is not None and who != side and start <= last[1]:
            return None
        merged += [*lines[done:start], *new]
        done, side, last = max(done, end), who, change
    return "".join([*merged, *lines[done:]])


def _changes(base: list[str], text: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """Return the lines of ``base`` (from, to) that ``text`` has otherwise, and how."""
    new = text.splitlines(keepends=True)
    codes = SequenceMatcher(None, base, new, autojunk=False).get_opcodes()
    return [(i1, i2, tuple(new[j1:j2])) for kind, i1, i2, j1, j2 in codes if kind != "equal"]
