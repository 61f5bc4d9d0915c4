"""The site folder: hub.yaml, the rules beside it, and the secrets they refer to, read and checked as one set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.config import integrations
from hub.config.calendar import calendar
from hub.config.rules import read_rules
from hub.config.settings import Settings, read_settings
from hub.config.yaml import load, loads
from hub.engine.check import check
from hub.engine.parse import RuleParser
from hub.engine.program import Program, watched
from hub.engine.rule import Rule
from hub.engine.terms import DayIs, SunIs, leaves
from hub.model.document import Finding, Mapping, Mark, Node, Scalar
from hub.model.errors import ConfigError
from hub.model.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Mapping_
    from pathlib import Path

    from hub.engine.calendar import Calendar

SECRETS = "secrets.yaml"
#: The folder of rules beside hub.yaml.
RULES = "rules"


class SiteFolder(msgspec.Struct, frozen=True):
    """A set that checks."""

    settings: Settings
    rules: tuple[Rule, ...]
    warnings: tuple[Finding, ...] = ()
    """What is worth a look, though the set is taken."""

    def program(self) -> Program:
        """Compile the rules for the site and its calendar."""
        rules = tuple(rule for rule in self.rules if rule.enabled)
        return Program(rules, self.settings.site, self.calendar(rules))

    def calendar(self, rules: Iterable[Rule]) -> Calendar:
        """Return the calendar that ``rules`` need."""
        used = {type(leaf) for rule in rules for term in watched(rule) for leaf in leaves(term)}
        # the tables cost half a second, so they are read only where a rule asks for them
        days = self.settings.days
        return calendar(self.settings.site.timezone, days, statutory=DayIs in used, sun=SunIs in used)

    def duty_calendar(self, statutory: bool) -> Calendar:
        """Return the calendar of the on-call list."""
        return calendar(self.settings.site.timezone, self.settings.days, statutory=statutory, sun=False)

    def draft(self, text: str, name: str) -> Rule:
        """Read a rule that is not part of the set. Raises ConfigError with every finding."""
        rule, findings = self.look_at(loads(text, name))
        wrong = tuple(finding for finding in findings if not finding.warning)
        if rule is None or wrong:
            raise ConfigError(wrong)
        return rule

    def look_at(self, document: Node) -> tuple[Rule | None, tuple[Finding, ...]]:
        """Read a rule by itself; return it where it reads, and every finding, warnings too, in their order."""
        reader = Reader()
        rule = RuleParser(reader, self.settings.site).rule(document)
        findings = [*reader.findings, *(check([(rule, document)], self.settings.site) if rule is not None else ())]
        return rule, tuple(sorted(findings, key=lambda finding: finding.mark))

    def rule(self, name: str) -> Rule | None:
        """Return the active rule of a name."""
        return next((rule for rule in self.rules if rule.id == name), None)


def load_site(config: Path, draft: str | None = None, rules_as: Mapping_[str, str | None] | None = None) -> SiteFolder:
    """Read ``config`` (hub.yaml) and ``rules/*.yaml`` beside it. Raises ConfigError with every finding.

    ``draft`` is read in the place of hub.yaml, and ``rules_as`` (name of a file in ``rules/`` to its text, None for
    one that is gone) in the place of rules, to see whether the set could become that.
    """
    reader = Reader()
    integrations.include(config.parent / "integrations")
    document = load(config, config.name) if draft is None else loads(draft, config.name)
    settings = read_settings(document, reader)
    findings = list(reader.findings)
    rules: list[Rule] = []
    if settings is not None:
        findings.extend(integrations.check(settings))
        files = rule_files(config.parent / RULES)
        paths, drafts = _with_drafts(files, config.parent / RULES, rules_as or {})
        checked, found = read_rules(paths, settings.site, drafts)
        rules = [one.rule for one in checked]
        findings += found
    findings.sort(key=lambda finding: finding.mark)
    wrong = tuple(finding for finding in findings if not finding.warning)
    if settings is None or wrong:
        raise ConfigError(wrong)
    return SiteFolder(settings=settings, rules=tuple(rules), warnings=tuple(findings))


def _with_drafts(
    files: list[Path], folder: Path, drafts: Mapping_[str, str | None]
) -> tuple[list[Path], dict[Path, str]]:
    """Return the files that the set would have, and the texts of those that are not on the disk like that."""
    if not drafts:
        return files, {}
    texts = {folder / name: text for name, text in drafts.items() if text is not None}
    kept = [path for path in files if path.name not in drafts]
    return sorted([*kept, *texts]), texts


def rule_files(folder: Path) -> list[Path]:
    """Return the files of rules by name; names are sorted twenty times as fast as paths."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return [folder / name for name in sorted(names) if name.endswith(".yaml")]


def fingerprint(config: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a file of the set is edited: name, modification time, size."""
    found = []
    for path in (config, *sorted((config.parent / RULES).glob("*.yaml"))):
        try:
            status = path.stat()
        except OSError:
            continue  # being replaced just now; the next look sees it
        found.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(found)


def load_secrets(folder: Path) -> dict[str, str]:
    """Read secrets.yaml (``name: value`` lines). A missing file holds none. Raises ConfigError."""
    path = folder / SECRETS
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o077:
        raise ConfigError((Finding(Mark(SECRETS, 1, 1), "other users can read it; run: chmod 600 secrets.yaml"),))
    document = load(path, SECRETS)
    if not isinstance(document, Mapping):
        raise ConfigError((Finding(document.mark, "must hold `name: value` lines"),))
    return {key.text: _secret(value) for key, value in document.items}


def _secret(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    raise ConfigError((Finding(node.mark, "a secret must be one value on one line"),))
