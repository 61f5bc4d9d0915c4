"""Strict YAML: every trap of RELIABILITY.md 0.4 and S3 is refused at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.config.yaml import MAX_BYTES, MAX_DEPTH, load, loads, plain
from hub.model.document import Mapping, Mark, Scalar
from hub.model.errors import ConfigError
from hub.model.reader import Reader
from hub.model.site import Mode
from hub.model.time import MINUTE

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

REFUSED = {
    "alias": ("a: 1\nb: *x\n", 2, 4, "`*x` is an alias"),
    "alias as a key": ("*x : 1\n", 1, 1, "`*x` is an alias"),
    "anchor": ("a: 1\nb:\n  c: &x 1\n", 3, 6, "`&x` is an anchor"),
    "anchor on a list": ("a: &x [1]\n", 1, 4, "`&x` is an anchor"),
    "alias bomb": (BOMB, 1, 4, "`&a` is an anchor"),
    "tag of Python": ("a: !!python/object/apply:os.system [x]\n", 1, 4, "is a tag"),
    "own tag": ("a: !secret x\n", 1, 4, "`!secret` is a tag"),
    "tag of the core schema": ("a: !!str 1\n", 1, 4, "is a tag"),
    "merge key": ("a:\n  <<: {b: 1}\n", 2, 3, "`<<` merges"),
    "duplicate": ("a: 1\nb: 2\na: 3\n", 3, 1, "`a` stands here twice, first in line 1"),
    "duplicate in quotes": ('a: 1\n"a": 3\n', 2, 1, "`a` stands here twice"),
    "duplicate in flow": ("x: {b: 1, c: 2, b: 3}\n", 1, 17, "`b` stands here twice"),
    "second document": ("a: 1\n---\nb: 2\n", 2, 1, "only one document"),
    "after the end": ("a: 1\n...\nb: 2\n", 3, 1, "not YAML"),
    "tab": ("a:\n\tb: 1\n", 2, 1, "not YAML"),
    "unclosed": ("a: [1, 2\nb: 3\n", 2, 2, "not YAML"),
    "wrong indent": ("a:\n  b: 1\n c: 2\n", 3, 2, "not YAML"),
    "deep flow": ("a: " + "[" * 100_000, 1, 28, f"nested more than {MAX_DEPTH} levels"),
    "deep flow of mappings": ("a: " + "{a: " * 100_000, 1, 100, f"nested more than {MAX_DEPTH} levels"),
    "deep block": ("".join("  " * n + "- a:\n" for n in range(40)), 13, 27, f"nested more than {MAX_DEPTH} levels"),
    "list as a key": ("? [a]\n: 1\n", 1, 3, "a key must be one word"),
    "NUL": ("é: 1\nab: x\0y\n", 2, 6, "(#x0)"),
    "bell": ("é: 1\nab: 车\x07y\n", 2, 6, "(#x7)"),
    "escape": ("a: \x1b[31m\n", 1, 4, "(#x1b)"),
    "lone surrogate": ("a: \ud800\n", 1, 4, "(#xd800)"),
    "nothing": ("", 1, 1, "the file is empty"),
    "comments only": ("# nothing\n", 2, 1, "the file is empty"),
}


@pytest.mark.parametrize(("text", "line", "column", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused_at_its_place(text: str, line: int, column: int, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text, "x.yaml")
    (finding,) = caught.value.findings
    assert finding.mark == Mark("x.yaml", line, column)
    assert sentence in finding.sentence
    assert str(finding).startswith(f"x.yaml:{line}:{column}: ")


FILES = {
    "Latin-1": ("a: é\nsite: é".encode() + "äuser\n".encode("latin-1"), 2, 8, "is not UTF-8 here"),
    "GBK": ("名: 小区\n".encode("gbk"), 1, 1, "is not UTF-8 here"),
    "UTF-16": ("a: 1\n".encode("utf-16"), 1, 1, "is not UTF-8 here"),
    "ten megabytes": (b"a: " + b"x" * 10_000_000, 1, 1, f"larger than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize(("content", "line", "column", "sentence"), FILES.values(), ids=FILES)
def test_refused_files(tmp_path: Path, content: bytes, line: int, column: int, sentence: str) -> None:
    path = tmp_path / "hub.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, "hub.yaml")
    (finding,) = caught.value.findings
    assert finding.mark == Mark("hub.yaml", line, column)
    assert sentence in finding.sentence


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "no.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            load(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_bytes(b"\xef\xbb\xbfsite: x\n")
    document = load(path)
    assert isinstance(document, Mapping)
    assert document.get("site") == Scalar(str(path), 1, 7, "x")


def test_places_are_counted_in_characters() -> None:
    document = loads("名: {区: 值}\n", "x")
    assert isinstance(document, Mapping)
    inner = document.get("名")
    assert isinstance(inner, Mapping)
    assert inner.get("区") == Scalar("x", 1, 8, "值")


WORDS = "22:30 no No NO off on yes y n true False null ~ 010 0x1f 0o17 1e3 12 -3 +1 1_000 3.14 .inf -.INF .nan 1:30:00"


@pytest.mark.parametrize("word", WORDS.split())
def test_a_trap_is_no_text_unless_it_is_quoted(word: str) -> None:
    plain_reader, quoted_reader = Reader(), Reader()
    assert plain_reader.text(_only(word), "`name`") is None
    (finding,) = plain_reader.findings
    assert finding.mark == Mark("x", 1, 4)
    assert f'write "{word}"' in finding.sentence
    assert quoted_reader.text(_only(f'"{word}"'), "`name`") == word
    assert quoted_reader.findings == []


@pytest.mark.parametrize("word", ["", '""', "|\n  " + "x" * 201])
def test_text_has_a_length(word: str) -> None:
    reader = Reader()
    assert reader.text(_only(word), "`name`") is None
    assert "must have 1 to 200 characters" in reader.findings[0].sentence


@pytest.mark.parametrize(
    "word", ["1e1", "010", "0x10", "+7", "7.0", '"7"', "no", "22:30", "~", "７", "101", "-1", "9" * 5_000]
)
def test_a_trap_is_no_number(word: str) -> None:
    reader = Reader()
    assert reader.integer(_only(word), "`volume`", 0, 100) is None
    assert "must be a whole number from 0 to 100" in reader.findings[0].sentence


@pytest.mark.parametrize("word", ["yes", "on", "True", "1", '"true"', "~"])
def test_a_trap_is_no_switch(word: str) -> None:
    reader = Reader()
    assert reader.boolean(_only(word), "`on`") is None
    assert "must be `true` or `false`" in reader.findings[0].sentence


@pytest.mark.parametrize(
    "word", ["180", "3", "22:30", "3 minutes", "3min x", "-3 min", "1e2 s", "~", "3 m", "1,5 h", ""]
)
def test_a_duration_has_a_unit(word: str) -> None:
    reader = Reader()
    assert reader.duration(_only(word), "`for`", 0, 10 * MINUTE) is None
    assert "must be a number with a unit" in reader.findings[0].sentence


def test_good_values_are_read() -> None:
    reader = Reader()
    assert reader.duration(_only("3 min"), "", 0, 10 * MINUTE) == 3 * MINUTE
    assert reader.duration(_only("1.5 min"), "", 0, 10 * MINUTE) == 90_000_000
    assert reader.integer(_only("0"), "", 0, 100) == 0
    assert reader.boolean(_only("false"), "") is False
    assert reader.text(_only("3号楼"), "") == "3号楼"
    assert reader.word(_only("test"), "mode", Mode) is Mode.TEST
    assert reader.findings == []
    assert reader.duration(_only("11 min"), "`for`", 0, 10 * MINUTE) is None
    assert reader.findings[0].sentence == "`for` must lie between 0 s and 10 min"


def test_plain_values_follow_the_core_schema() -> None:
    text = "{a: 22:30, b: no, c: 010, d: 1e3, e: true, f: ~, g: 12, h: 1.5, i: '12', j: 0x1f, k: -0, l: [1]}"
    values = plain(loads(text, "x"))
    assert values == {
        "a": "22:30", "b": "no", "c": "010", "d": "1e3", "e": True, "f": None, "g": 12, "h": 1.5, "i": "12",
        "j": "0x1f", "k": 0, "l": [1],
    }  # fmt: skip


def _only(word: str) -> Scalar:
    document = loads(f"k: {word}\n", "x")
    assert isinstance(document, Mapping)
    value = document.get("k")
    assert isinstance(value, Scalar)
    return value
