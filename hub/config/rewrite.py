"""Edits YAML as a careful person would: only what changed is written anew; comments, order and spelling stay.

ruamel.yaml, which hub.config.edit uses, lays a whole file out anew and hangs a comment on the entry before it, so that
it goes when that entry goes. Rules are edited step by step; here an edit of one value touches one line.
"""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher
from typing import Any

import yaml

from hub.config.yaml import MAX_DEPTH, loads, plain
from hub.model.document import Finding, Mark, Scalar
from hub.model.errors import ConfigError

#: A text that may stand without quotes anywhere, also within ``[]`` and ``{}``.
_BARE = re.compile(r"[A-Za-z\u3400-\u9fff][\w\u3400-\u9fff ./·，。！？；：、（）()%+-]*\Z")
#: Bare words that some reader takes for something else (RELIABILITY.md 0.4).
_TRAP = re.compile(r"(?:yes|no|on|off|y|n|true|false|null|nan|inf)\Z", re.IGNORECASE)
#: Columns after which a collection is written one entry a line.
_WIDE = 100

Edit = tuple[int, int, str]


def rewrite(text: str, wanted: Any, name: str = "rule") -> str:
    """Return ``text`` changed as little as possible so that it reads as ``wanted`` (dict, list, str, number, bool).

    Raises ConfigError where ``text`` is not strict YAML, or is written so unusually that it cannot be edited.
    """
    before = plain(loads(text, name))
    if _deep(wanted, MAX_DEPTH):
        raise ConfigError((Finding(Mark(name, 1, 1), f"nested more than {MAX_DEPTH} levels deep"),))
    if same(before, wanted):
        return text
    whole = text if text.endswith("\n") else f"{text}\n"
    editor = _Editor(whole)
    editor.change(yaml.compose(whole, Loader=yaml.SafeLoader), wanted)
    edited = editor.result()
    try:
        good = same(plain(loads(edited, name)), wanted)
    except ConfigError:
        good = False
    if not good:
        sentence = "this is written so unusually that the form cannot change it; change it in the YAML"
        raise ConfigError((Finding(Mark(name, 1, 1), sentence),))
    return edited


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal; unlike for ``==``, ``true`` is no 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


class _Editor:
    """Collects edits of one text; places are offsets in characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edits: list[Edit] = []

    def result(self) -> str:
        """Apply the edits."""
        text = self._text
        ordered = sorted(enumerate(self._edits), key=lambda edit: (*edit[1][:2], edit[0]), reverse=True)
        for _, (start, end, new) in ordered:  # from the end, so that the places before still hold
            text = text[:start] + new + text[end:]
        return text

    def change(self, node: Any, wanted: Any, key: Any = None) -> None:
        """Make ``node`` read as ``wanted``; ``key`` is the key that it stands behind, if any."""
        if same(_plain(node), wanted):
            return
        if isinstance(node, yaml.MappingNode) and isinstance(wanted, dict) and wanted:
            self._mapping(node, wanted)
        elif isinstance(node, yaml.SequenceNode) and isinstance(wanted, list) and wanted:
            self._sequence(node, wanted)
        else:
            self._replace(node, wanted, key)

    def _replace(self, node: Any, wanted: Any, key: Any) -> None:
        start, end = node.start_mark.index, self._end(node)
        quoted = isinstance(node, yaml.ScalarNode) and node.style in {"'", '"'}
        new = flow(wanted, quoted=quoted)
        between = "" if key is None else self._text[key.end_mark.index : start]
        if "\n" in between and "#" not in between:  # it began on a line of its own
            start, new = key.end_mark.index + 1, f" {new}"
        elif start == end and between[-1:] == ":":  # there was nothing
            new = f" {new}"
        self._edits.append((start, end, new))

    def _mapping(self, node: Any, wanted: dict[str, Any]) -> None:
        there = {key.value: (key, value) for key, value in node.value}
        if node.flow_style and there.keys() != wanted.keys():
            self._edits.append((node.start_mark.index, node.end_mark.index, flow(wanted)))
            return
        for name, (key, value) in there.items():
            if name in wanted:
                self.change(value, wanted[name], key)
        if not there.keys() & wanted.keys():  # nothing to hold on to
            first = node.value[0][0].start_mark
            lines = block(wanted, first.column)
            self._edits.append((first.index, self._end(node), lines.lstrip(" ").rstrip("\n")))
            return
        for place, (key, value) in enumerate(node.value):
            if key.value not in wanted:
                self._remove_entry(node, place, key, value)
        self._add_entries(node, there, wanted)

    def _remove_entry(self, node: Any, place: int, key: Any, value: Any) -> None:
        start = self._line(key.start_mark.index)
        if self._text[start : key.start_mark.index].strip():  # the first one behind a dash: the next moves up
            self._edits.append((key.start_mark.index, node.value[place + 1][0].start_mark.index, ""))
        else:
            self._edits.append((start, self._after(max(key.end_mark.index, self._end(value))), ""))

    def _add_entries(self, node: Any, there: dict[str, Any], wanted: dict[str, Any]) -> None:
        before = next(name for name in there if name in wanted)
        column = node.value[0][0].start_mark.column
        new: dict[str, dict[str, Any]] = {}
        for name, value in wanted.items():
            if name in there:
                before = name
            else:
                new.setdefault(before, {})[name] = value
        for name, values in new.items():
            key, value = there[name]
            offset = self._after(max(key.end_mark.index, self._end(value)))
            self._edits.append((offset, offset, block(values, column)))

    def _sequence(self, node: Any, wanted: list[Any]) -> None:
        if node.flow_style:
            if len(wanted) != len(node.value):
                self._edits.append((node.start_mark.index, node.end_mark.index, flow(wanted)))
                return
            for item, value in zip(node.value, wanted, strict=True):
                self.change(item, value)
            return
        old = [_text_of(_plain(item)) for item in node.value]
        new = [_text_of(value) for value in wanted]
        column = node.start_mark.column
        for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                continue
            both = min(i2 - i1, j2 - j1)
            moved = {*old} & {*new[j1:j2]} or {*new} & {*old[i1:i2]}
            if moved:  # in another order: whole entries move, with their comments
                both = 0
            for shift in range(both):
                self.change(node.value[i1 + shift], wanted[j1 + shift])
            for place in range(i1 + both, i2):
                self._edits.append((*self._item(node, place), ""))
            lines = [self._lines_of(node, old, new[j], wanted[j], column) for j in range(j1 + both, j2)]
            last = i2 == len(node.value)
            offset = self._item(node, i2 - 1 if last else i2)[1 if last else 0]
            if lines:
                self._edits.append((offset, offset, "".join(lines)))

    def _lines_of(self, node: Any, old: list[str], text: str, value: Any, column: int) -> str:
        if text in old:
            start, end = self._item(node, old.index(text))
            return self._text[start:end]
        return _item(value, column)

    def _item(self, node: Any, place: int) -> tuple[int, int]:
        """Return the lines of an entry that begins with a dash."""
        item = node.value[place]
        start = self._line(self._text.rindex("-", 0, max(1, item.start_mark.index)))
        return start, self._after(self._end(item))

    def _line(self, offset: int) -> int:
        return self._text.rfind("\n", 0, offset) + 1

    def _after(self, offset: int) -> int:
        """Return where the line after ``offset`` begins."""
        found = self._text.find("\n", offset)
        return len(self._text) if found < 0 else found + 1

    def _end(self, node: Any) -> int:
        """Return where a value ends; PyYAML's own mark of a block lies where the next token begins."""
        if not isinstance(node, yaml.ScalarNode) and not node.flow_style and node.value:
            last = node.value[-1]
            if isinstance(node, yaml.SequenceNode):
                return self._end(last)
            key: int = last[0].end_mark.index
            return max(key + 1, self._end(last[1]))
        end: int = node.end_mark.index
        whole = not isinstance(node, yaml.ScalarNode) or node.style not in {"|", ">"}
        return end if whole else len(self._text[:end].rstrip())


def _plain(node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    return plain(Scalar("", 1, 1, node.value, node.style not in {None, ""}))


def _text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def flow(value: Any, *, quoted: bool = False) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(flow(item) for item in value)}]"
    if not isinstance(value, str):
        return json.dumps(value)
    bare = _BARE.match(value) or re.match(r"[0-9.]{1,10} (?:ms|s|min|h|d)\Z", value)
    if bare and not quoted and not _TRAP.match(value) and not value.endswith(" "):
        return value
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")


def block(entries: dict[str, Any], column: int) -> str:
    """Write ``key: value`` lines from ``column`` on; only lists of entries, and what holds them, take further lines."""
    return "".join(_entry(key, value, column) for key, value in entries.items())


def _entry(key: str, value: Any, column: int) -> str:
    start = " " * column + f"{flow(key)}:"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"{start}\n" + "".join(_item(item, column + 2) for item in value)
    if isinstance(value, dict) and value and (_listing(value) or len(flow(value)) > _WIDE):
        return f"{start}\n{block(value, column + 2)}"
    return f"{start} {flow(value)}\n"


def _item(value: Any, column: int) -> str:
    if not isinstance(value, dict) or not value:
        return " " * column + f"- {flow(value)}\n"
    return " " * column + "- " + block(value, column + 2).lstrip(" ")


def _listing(value: dict[str, Any]) -> bool:
    return any(isinstance(item, list) and any(isinstance(one, dict) for one in item) for item in value.values())


def _deep(value: Any, left: int) -> bool:
    """Tell whether a value is nested more than ``left`` levels deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left < 0 or any(_deep(item, left - 1) for item in inner)
