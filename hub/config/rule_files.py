"""The files in ``rules/`` for the page: read with their version, written whole and only when the whole set checks."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import msgspec

from hub.config.rewrite import rewrite
from hub.config.site import RULES, load_site, rule_files
from hub.config.yaml import load, loads, plain
from hub.durable import write_whole
from hub.model.document import Finding, Mapping, Mark, Node, Scalar
from hub.model.errors import ConfigError, HubError
from hub.model.ids import NAME


class Overtaken(HubError):
    """Somebody edited the file meanwhile; ``now`` is what stands there, None when it was deleted."""

    def __init__(self, now: RuleFile | None) -> None:
        super().__init__("the rule was changed meanwhile")
        self.now = now


class RuleFile(msgspec.Struct, frozen=True):
    """One file: its name in ``rules/``, its rule, its text, and a hash of the text."""

    file: str
    rule: str
    text: str

    @property
    def version(self) -> str:
        """Name this text."""
        return version_of(self.text)


class Writing(msgspec.Struct, frozen=True):
    """A text for the file that had ``base`` (empty: there was none); ``text`` None deletes it."""

    file: str
    text: str | None
    base: str


class RuleFiles:
    """One folder of rules. Its methods block and may be called from any thread; two writings never mix."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.site = config.parent
        self._folder = config.parent / RULES
        self._lock = threading.Lock()

    def all(self) -> list[RuleFile]:
        """Return every file that can be read as text."""
        found = [self.read(path.name) for path in rule_files(self._folder)]
        return [file for file in found if file is not None]

    def find(self, rule: str) -> RuleFile | None:
        """Return the file of a rule; one that does not read is found by its file's name."""
        guess = self.read(f"{rule}.yaml") if NAME.match(rule) else None
        if guess is not None and guess.rule == rule:
            return guess
        return next((file for file in self.all() if file.rule == rule), guess)

    def write(self, writings: list[Writing]) -> None:
        """Write files, in this order, if the set then checks.

        Raises ConfigError with every finding, and Overtaken; then nothing was written.
        """
        with self._lock:
            for writing in writings:
                now = self.read(writing.file)
                if (now.version if now is not None else "") != writing.base:
                    raise Overtaken(now)
            load_site(self._config, rules_as={writing.file: writing.text for writing in writings})
            self._folder.mkdir(exist_ok=True)
            for writing in writings:
                path = self._folder / writing.file
                if writing.text is None:
                    path.unlink(missing_ok=True)
                else:
                    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
                    write_whole(path, writing.text.encode(), mode)

    def read(self, name: str) -> RuleFile | None:
        """Return one file of the folder; None where it is not there."""
        text = self.text(name)
        if text is None:
            return None
        try:
            node: Node | None = load(self._folder / name, f"{RULES}/{name}")
        except ConfigError:
            node = None
        return RuleFile(name, _rule_of(node) or name.removesuffix(".yaml"), text)

    def text(self, name: str) -> str | None:
        """Return what stands in one file of the folder; None where it is not there."""
        try:
            with (self._folder / name).open(encoding="utf-8-sig", errors="replace", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None


def version_of(text: str) -> str:
    """Name a text by its hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rule_of(text: str) -> str:
    """Return the id that a text gives its rule; empty where it gives none. Raises ConfigError."""
    return _rule_of(loads(text, "rule"))


def _rule_of(node: Node | None) -> str:
    found = node.get("rule") if isinstance(node, Mapping) else None
    return found.text if isinstance(found, Scalar) else ""


def file_of(rule: str) -> str:
    """Return the name of the file of a new rule. Raises ConfigError where the id is none."""
    if not NAME.match(rule) or len(rule) > 64:
        sentence = f"`{rule}` is no name: use a-z, 0-9 and _, beginning with a letter"
        raise ConfigError((Finding(Mark("rule", 1, 1), sentence),))
    return f"{rule}.yaml"


def changed(text: str, **values: Any) -> str:
    """Return a rule's text with other top-level values; None takes a key away. Raises ConfigError."""
    document = plain(loads(text, "rule"))
    document = document if isinstance(document, dict) else {}
    wanted = {key: value for key, value in {**document, **values}.items() if value is not None}
    return rewrite(text, wanted)


def without_zones(text: str, zones: list[str]) -> str:
    """Return a rule's text so that it no longer serves ``zones``. Raises ConfigError."""
    document = plain(loads(text, "rule"))
    there = document.get("zones") if isinstance(document, dict) else None
    serves = dict(there) if isinstance(there, dict) else {}
    if "only" in serves:
        only = [zone for zone in _listed(serves["only"]) if zone not in zones]
        if not only:
            sentence = "the other rule serves no further zone: change that rule itself"
            raise ConfigError((Finding(Mark("rule", 1, 1), sentence),))
        serves["only"] = only
    else:
        left_out = _listed(serves.get("without", []))
        serves["without"] = [*left_out, *(zone for zone in zones if zone not in left_out)]
    return changed(text, zones=serves)


def _listed(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]
