"""Files that people bring, with anything done to them (S4): backups, YAML, rules. One kind of error, and no other."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.config.yaml import loads
from hub.engine.parse import RuleParser
from hub.engine.rule import Rule
from hub.model.errors import ConfigError
from hub.model.reader import Reader
from hub.ops.backup.archive import BadBackup, Manifest, Writer
from hub.ops.backup.restore import _proven
from tests.kit.gate import Gate

RULES = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[2] / "rules").glob("*.yaml"))]
#: What YAML and rules are made of: hostile mixes of it go deeper than letters do.
WORDS = [": ", "- ", "{", "}", "[", "]", "|\n", ">\n", "&a ", "*a", "!!python/name:os.system ", "<<: ", "\t", "\n  ",
         "---\n", "22:30", "no", ".nan", "1e999", "0x10", "\ufeff", "\x85", "\u2028", "\U0001f600", "9" * 400, "for: ",
         "any: ", "not: ", "zones: ", "trigger: ", "%d min", "'", '"', "#", "%YAML 1.1\n", "? "]  # fmt: skip
#: Examples of each kind, and more where somebody asks.
EXAMPLES = int(os.environ.get("MENSHEN_FUZZ_EXAMPLES", "100"))

texts = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=30).map("".join)
#: Where in a text, how much of it is left out, and what is put in its place.
edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), texts | st.sampled_from(WORDS)), min_size=1, max_size=4)


def edited(text: str, changes: list[tuple[float, int, str]]) -> str:
    for where, length, new in changes:
        at = round(where * len(text))
        text = text[:at] + new + text[at + length :]
    return text


@given(texts | st.builds(edited, st.sampled_from(RULES), edits))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_text_is_a_document_or_a_mistake_with_its_place(text: str) -> None:
    with suppress(ConfigError):
        loads(text, "rule.yaml")


@given(st.builds(edited, st.sampled_from(RULES), edits))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_rule_is_a_rule_or_has_findings(text: str) -> None:
    with suppress(ConfigError):
        document = loads(text, "rule.yaml")
        reader = Reader()
        rule = RuleParser(reader, SITE).rule(document)
        assert isinstance(rule, Rule) or reader.findings


SITE = Gate(
    "{rule: a, zones: {kind: gate}, trigger: {door: open}, actions: [open_incident], clear: {door: closed}}"
).site


def archive() -> bytes:
    sink = io.BytesIO()
    writer = Writer(sink)
    for name, content in (("data/journal.sqlite3", b"x" * 700), ("site/hub.yaml", b""), ("data/evidence/a.jpg", b"y")):
        writer.add(name, len(content), io.BytesIO(content))
    writer.end(Manifest("s", "2026-11-21T00:00:00Z", "1", 1, ()))
    return sink.getvalue()


WHOLE = archive()


cuts = st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 600), st.binary(max_size=20) | st.just(bytes(512)))


@given(st.lists(cuts, min_size=1, max_size=3))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_backup_is_the_one_that_was_made_or_none(changes: list[tuple[int, int, bytes]]) -> None:
    changed = WHOLE
    for at, length, new in changes:
        changed = changed[:at] + new + changed[at + length :]
    with suppress(BadBackup):
        assert _proven(io.BytesIO(changed)) == _proven(io.BytesIO(WHOLE))
