"""Reads a folder of rules, each by itself and then against the others; many of them on two processors."""

from __future__ import annotations

import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from hub.config.yaml import load
from hub.engine.check import Checked, Checker, compare
from hub.engine.parse import RuleParser
from hub.model.document import Finding, Mark
from hub.model.errors import ConfigError
from hub.model.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hub.model.site import Site

#: From so many files on a second process takes half of them: it needs 0.3 s to start, 1,500 files take as long.
MANY = 3_000

Read = tuple[list[Checked], list[Finding]]


def read_rules(paths: Sequence[Path], site: Site) -> Read:
    """Return the rules that read well, and every finding."""
    read, findings = _on_two(paths, site) if len(paths) >= MANY else _read(paths, site)
    first: dict[str, Checked] = {}
    for one in read:
        rule = one.rule
        if (other := first.setdefault(rule.id, one)) is not one:
            findings.append(Finding(Mark(rule.file, 1, 1), f"rule `{rule.id}` stands in {other.rule.file} already"))
    unique = list(first.values())
    return unique, findings + compare(unique)


def _on_two(paths: Sequence[Path], site: Site) -> Read:
    mine = len(paths) * 11 // 20  # the other process starts later
    # spawned: a fork of a process with threads may hang. It lives too short to collect garbage.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), gc.disable) as pool:
        other = pool.submit(_read, paths[mine:], site)
        read, findings = _read(paths[:mine], site)
        try:
            more_read, more_findings = other.result()
        except BrokenProcessPool:  # killed, perhaps for its memory: slower, but here
            more_read, more_findings = _read(paths[mine:], site)
    return read + more_read, findings + more_findings


def _read(paths: Sequence[Path], site: Site) -> Read:
    """Read and check each file by itself."""
    checker = Checker(site)
    read: list[Checked] = []
    findings: list[Finding] = []
    for path in paths:
        reader = Reader()
        try:
            document = load(path, f"rules/{path.name}")
        except ConfigError as error:
            findings.extend(error.findings)
            continue
        rule = RuleParser(reader, site).rule(document)
        findings.extend(reader.findings)
        if rule is not None:
            read.append(checker.check(rule, document))
    return read, findings
