"""Reads a folder of rules, each by itself and then against the others; many of them on two processors."""

from __future__ import annotations

import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from hub.config.yaml import load, loads
from hub.engine.check import Checked, Checker, compare
from hub.engine.parse import RuleParser
from hub.model.document import Finding, Mark
from hub.model.errors import ConfigError
from hub.model.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hub.model.site import Site

#: From so many files on a second process takes half of them: it needs 0.3 s to start, 1,500 files take as long.
MANY = 3_000

#: No file that is read from elsewhere.
NONE: Mapping[Path, str] = {}

Read = tuple[list[Checked], list[Finding]]


def read_rules(paths: Sequence[Path], site: Site, drafts: Mapping[Path, str] = NONE) -> Read:
    """Return the rules that read well, and every finding; ``drafts`` are read in the place of their files."""
    read, findings = _on_two(paths, drafts, site) if len(paths) >= MANY else _read(paths, drafts, site)
    first: dict[str, Checked] = {}
    for one in read:
        rule = one.rule
        if (other := first.setdefault(rule.id, one)) is not one:
            findings.append(Finding(Mark(rule.file, 1, 1), f"rule `{rule.id}` stands in {other.rule.file} already"))
    unique = list(first.values())
    return unique, findings + compare(unique)


def _on_two(paths: Sequence[Path], drafts: Mapping[Path, str], site: Site) -> Read:
    mine = len(paths) * 11 // 20  # the other process starts later
    # spawned: a fork of a process with threads may hang. It lives too short to collect garbage.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), gc.disable) as pool:
        other = pool.submit(_read, paths[mine:], drafts, site)
        read, findings = _read(paths[:mine], drafts, site)
        try:
            more_read, more_findings = other.result()
        except BrokenProcessPool:  # killed, perhaps for its memory: slower, but here
            more_read, more_findings = _read(paths[mine:], drafts, site)
    return read + more_read, findings + more_findings


def _read(paths: Sequence[Path], drafts: Mapping[Path, str], site: Site) -> Read:
    """Read and check each file by itself."""
    checker = Checker(site)
    read: list[Checked] = []
    findings: list[Finding] = []
    for path in paths:
        reader = Reader()
        try:
            name = f"rules/{path.name}"
            draft = drafts.get(path) if drafts else None  # to hash a path costs a tenth of reading the file
            document = load(path, name) if draft is None else loads(draft, name)
        except ConfigError as error:
            findings.extend(error.findings)
            continue
        rule = RuleParser(reader, site).rule(document)
        findings.extend(reader.findings)
        if rule is not None:
            read.append(checker.check(rule, document))
    return read, findings
