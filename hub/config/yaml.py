"""Strict YAML 1.2: a tree with positions. No anchors, aliases, tags, merge keys, duplicate keys or second document.

Scalars stay text here; hub.model.reader gives them a type where one is asked for, so ``22:30``, ``no`` and ``010``
never turn into something else silently (RELIABILITY.md section 0.4).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
from yaml import AliasEvent, MappingEndEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from hub.model.document import Finding, Mapping, Mark, Node, Scalar, Sequence
from hub.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Largest file read, in bytes; a site of 1,000 zones has about 200 kB.
MAX_BYTES = 2 * 1024 * 1024
#: Deepest nesting; the language itself needs seven levels.
MAX_DEPTH = 24

#: What is no character of YAML 1.2 (section 5.1): controls, surrogates, non-characters.
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z")
#: Styles of a scalar without quotes, by libyaml and by PyYAML's own parser.
_PLAIN = frozenset({None, ""})
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(path: Path, name: str | None = None) -> Node:
    """Read a file. Raises ConfigError with one finding; ``name`` is how findings call the file."""
    name = name or str(path)
    try:
        with path.open("rb", buffering=0) as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ConfigError((Finding(Mark(name, 1, 1), f"the file is larger than {MAX_BYTES} bytes"),))
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError((Finding(Mark(name, 1, 1), f"cannot be read: {error.strerror}"),)) from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8-sig").split("\n")
        mark = Mark(name, len(before), len(before[-1]) + 1)
        raise ConfigError((Finding(mark, "is not UTF-8 here; save the file as UTF-8"),)) from None
    return loads(text, name)


def loads(text: str, name: str) -> Node:
    """Read a text. Raises ConfigError with one finding."""
    if (bad := _FORBIDDEN.search(text)) is not None:
        start = text.rfind("\n", 0, bad.start()) + 1
        mark = Mark(name, text.count("\n", 0, start) + 1, bad.start() - start + 1)
        raise ConfigError((Finding(mark, f"a character that no text may hold (#x{ord(bad[0]):x})"),))
    return _Builder(name).build(text)


class _Builder:
    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, text: str) -> Node:
        try:
            following = _Loader(text).get_event
            following()  # stream start
            if isinstance(first := following(), yaml.StreamEndEvent):
                self._refuse(first, "the file is empty")
            node = self._node(following(), following, 0)
            following()  # document end
            if not isinstance(second := following(), yaml.StreamEndEvent):
                self._refuse(second, "only one document a file: remove the `---`")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Mark(self._name, 1, 1) if mark is None else Mark(self._name, mark.line + 1, mark.column + 1)
            raise ConfigError((Finding(place, f"this is not YAML: {error.problem}"),)) from None
        return node

    def _node(self, event: Any, following: Callable[[], Any], depth: int) -> Node:
        if type(event) is ScalarEvent and event.anchor is None and event.tag is None:  # two of three are
            start: Any = event.start_mark
            return Scalar(self._name, start.line + 1, start.column + 1, event.value, event.style not in _PLAIN)
        if type(event) is AliasEvent:
            self._refuse(event, f"`*{event.anchor}` is an alias; write the value again")
        if event.anchor is not None:
            self._refuse(event, f"`&{event.anchor}` is an anchor; write the value where it is needed")
        if event.tag is not None:
            self._refuse(event, f"`{event.tag}` is a tag; leave it out")
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} levels deep")
        start = event.start_mark
        if type(event) is SequenceStartEvent:
            return Sequence(self._name, start.line + 1, start.column + 1, self._sequence(following, depth + 1))
        return Mapping(self._name, start.line + 1, start.column + 1, self._mapping(following, depth + 1))

    def _sequence(self, following: Callable[[], Any], depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while type(event := following()) is not SequenceEndEvent:
            items.append(self._node(event, following, depth))
        return tuple(items)

    def _mapping(self, following: Callable[[], Any], depth: int) -> tuple[tuple[Scalar, Node], ...]:
        items: dict[str, tuple[Scalar, Node]] = {}
        while type(event := following()) is not MappingEndEvent:
            key = self._node(event, following, depth)
            if type(key) is not Scalar:
                self._refuse(event, "a key must be one word")
            name = key.text
            if name == "<<" and not key.quoted:
                self._refuse(event, "`<<` merges another mapping; write its keys here")
            if name in items:
                line = items[name][0].mark.line
                self._refuse(event, f"`{name}` stands here twice, first in line {line}; keep one")
            items[name] = (key, self._node(following(), following, depth))
        return tuple(items.values())

    def _place(self, event: Any) -> tuple[str, int, int]:
        start = event.start_mark
        return self._name, start.line + 1, start.column + 1

    def _refuse(self, event: Any, sentence: str) -> NoReturn:
        raise ConfigError((Finding(Mark(*self._place(event)), sentence),))


def plain(node: Node) -> Any:
    """Turn a tree into Python values by the YAML 1.2 core schema, for a typed conversion that follows."""
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.items}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return _scalar(node) if isinstance(node, Scalar) else None


def _scalar(node: Scalar) -> Any:
    if node.quoted:
        return node.text
    if node.text in {"true", "false"}:
        return node.text == "true"
    if node.text in {"null", "~", ""}:
        return None
    digits = node.text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and (len(digits) == 1 or digits[0] != "0") and len(digits) < 16:
        return int(node.text)
    return float(node.text) if _FLOAT.match(node.text) else node.text
