"""Reads typed values out of a document and collects every finding, so that a person sees them all at once."""

from __future__ import annotations

import difflib
import re
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from hub.model.document import Finding, Mapping, Node, Scalar, Sequence
from hub.model.ids import NAME
from hub.model.text import Text
from hub.model.time import Duration, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Word = TypeVar("Word", bound=StrEnum)

#: Unquoted words that YAML 1.1 readers turn into something else: booleans, nulls, octals, base-60 (RELIABILITY.md 0.4).
_TRAP = re.compile(
    r"(?:yes|no|on|off|y|n|true|false|null|~|[-+]?[0-9][0-9_]*(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?|[-+]?[0-9]+(?::[0-9]+)+"
    r"|0x[0-9a-f]+|0o[0-7]+|[-+]?\.(?:inf|nan))\Z",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?\Z")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\Z")


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean `x`?`` when a known word is near, else the known words."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; known: {', '.join(names[:12])}" if names else ""


class Reader:
    """Typed access to a document. Every method returns None (or the default) after it reported a finding."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def report(self, node: Node, sentence: str) -> None:
        """Add a finding at ``node``."""
        self.findings.append(Finding(node.mark, sentence))

    def mapping(
        self, node: Node | None, what: str, required: Collection[str] = (), optional: Collection[str] | None = None
    ) -> Mapping | None:
        """Read keys. With ``optional`` None any key is allowed."""
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.report(node, f"{what} must be a list of `key: value` lines")
            return None
        there = [key.text for key, _ in node.items]
        if optional is not None:
            for index, name in enumerate(there):
                if name not in required and name not in optional:
                    known = {*required, *optional}
                    self.report(node.items[index][0], f"`{name}` is not a key of {what}{suggest(name, known)}")
        for name in required:
            if name not in there:
                self.report(node, f"{what} needs `{name}`")
        return node

    def sequence(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """Read a list; nothing reads as an empty one."""
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self.report(node, f"{what} must be a list of lines that begin with `- `")
            return ()
        return node.items

    def entries(self, node: Node | None, what: str) -> Iterator[tuple[str, Scalar, Node]]:
        """Read a mapping from names (``[a-z][a-z0-9_]*``) to anything."""
        mapping = self.mapping(node, what)
        for key, value in mapping.items if mapping is not None else ():
            if NAME.match(key.text):
                yield key.text, key, value
            else:
                self.report(key, f"`{key.text}` is no name: use a-z, 0-9 and _, beginning with a letter")

    def scalar(self, node: Node | None, what: str) -> Scalar | None:
        """Read a leaf."""
        if node is None or isinstance(node, Scalar):
            return node
        self.report(node, f"{what} must be one value on one line")
        return None

    def text(self, node: Node | None, what: str, limit: int = 200) -> str | None:
        """Read text of 1 to ``limit`` characters; a word that other programs read as a number must be quoted."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        if not scalar.quoted and _TRAP.match(scalar.text):
            self.report(
                scalar, f'{what} is text, but `{scalar.text}` reads as a number or switch: write "{scalar.text}"'
            )
            return None
        if not 1 <= len(scalar.text) <= limit:
            self.report(scalar, f"{what} must have 1 to {limit} characters, this has {len(scalar.text)}")
            return None
        return scalar.text

    def words(self, node: Node | None, what: str, limit: int = 200) -> Text | None:
        """Read a sentence in Chinese, or ``{zh: …, en: …}``."""
        if node is None or isinstance(node, Scalar):
            zh = self.text(node, what, limit)
            return None if zh is None else Text(zh=zh)
        mapping = self.mapping(node, what, required=("zh",), optional=("en",))
        if mapping is None:
            return None
        zh, en = self.text(mapping.get("zh"), what, limit), self.text(mapping.get("en"), what, limit)
        return None if zh is None else Text(zh=zh, en=en or "")

    def word(self, node: Node | None, what: str, choices: type[Word]) -> Word | None:
        """Read one word of a fixed list."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        try:
            return choices(scalar.text)
        except ValueError:
            self.report(scalar, f"`{scalar.text}` is no {what}{suggest(scalar.text, choices)}")
            return None

    def duration(self, node: Node | None, what: str, low: int, high: int) -> Duration | None:
        """Read ``3 min``; the unit is never left out."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        try:
            duration = parse_duration(scalar.text)
        except ValueError:
            self.report(scalar, f"{what} must be a number with a unit, like `3 min` or `30 s`, not `{scalar.text}`")
            return None
        if not low <= duration <= high:
            self.report(scalar, f"{what} must lie between {format_duration(low)} and {format_duration(high)}")
            return None
        return duration

    def integer(self, node: Node | None, what: str, low: int, high: int) -> int | None:
        """Read a whole decimal number."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        if scalar.quoted or not _INTEGER.match(scalar.text) or not low <= int(scalar.text) <= high:
            self.report(scalar, f"{what} must be a whole number from {low} to {high}, not `{scalar.text}`")
            return None
        return int(scalar.text)

    def number(self, node: Node | None, what: str) -> float | None:
        """Read a decimal number."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        if scalar.quoted or not _NUMBER.match(scalar.text):
            self.report(scalar, f"{what} must be a number, not `{scalar.text}`")
            return None
        return float(scalar.text)

    def time_of_day(self, node: Node | None, what: str) -> int | None:
        """Read ``"22:30"`` as seconds after midnight; without quotes other readers of YAML make 1350 of it."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        match = _TIME.match(scalar.text)
        if match is None or not scalar.quoted:
            self.report(scalar, f'{what} must be a time of day like "22:30", not `{scalar.text}`')
            return None
        return int(match[1]) * 3600 + int(match[2]) * 60

    def boolean(self, node: Node | None, what: str) -> bool | None:
        """Read ``true`` or ``false``."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        if scalar.quoted or scalar.text not in {"true", "false"}:
            self.report(scalar, f"{what} must be `true` or `false`, not `{scalar.text}`")
            return None
        return scalar.text == "true"
