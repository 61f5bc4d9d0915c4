"""Hostile YAML (S3): refused with its place, in little time and memory; times of day only where they are quoted."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest

from hub.config.site import load_site
from hub.config.yaml import MAX_BYTES, load, loads
from hub.model.document import Mapping
from hub.model.errors import ConfigError
from tests.kit.site import ROOT
from tests.unit.config.test_site import GOOD

MIB = 1024 * 1024
_DOUBLED = (f"{two}: &{two} [*{one}, *{one}]\n" for one, two in zip("abcdefg", "bcdefgh", strict=True))
BILLION = "a: &a [x, x]\n" + "".join(_DOUBLED)
CORPUS: dict[str, str] = {
    "alias bomb": BILLION,
    "one anchor": "a: &x 1\n",
    "alias to itself": "a: &a [*a]\n",
    "merge": "a: {b: 1}\nc: {<<: {b: 2}}\n",
    "python object": "a: !!python/object/apply:os.system ['touch owned']\n",
    "python name": "a: !!python/name:os.system\n",
    "python module": "a: !!python/module:os\n",
    "local tag": "a: !include /etc/passwd\n",
    "secret tag": "a: !secret password\n",
    "env tag": "a: !env_var HOME\n",
    "binary": "a: !!binary aGVsbG8=\n",
    "tag directive": "%TAG ! tag:yaml.org,2002:python/\n---\na: !object 1\n",
    "other version": "%YAML 9.9\n---\n%\n",
    "twice": "a: 1\na: 2\n",
    "twice quoted": "a: 1\n'a': 2\n",
    "tabs": "a:\n\tb: 1\n",
    "flow depth": "[" * 2_000,
    "flow depth closed": "[" * 50_000 + "]" * 50_000,
    "block depth": "".join("  " * number + "a:\n" for number in range(500)),
    "dash depth": "- " * 5_000 + "a\n",
    "key is a list": "? [a, b]\n: 1\n",
    "key is a mapping": "{a: 1}: 2\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "document end": "a: 1\n...\nb: 2\n",
    "NUL": "a: \0\n",
    "escape": "a: \x1b[31m\n",
    "surrogate": "a: \ud800\n",
    "cut quote": 'a: "\n',
    "cut flow": "a: [1, 2\n",
    "bad escape": 'a: "\\xZZ"\n',
    "nothing": "",
    "comment": "# nothing\n",
    "colon": ": : :\n",
    "at": "a: @b\n",
    "backtick": "a: `touch owned`\n",
}


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_refused_with_its_place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    began = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        loads(CORPUS[name], "hub.yaml")
    print(f"{(time.perf_counter() - began) * 1e3:.1f} ms")  # noqa: T201 - a figure, not asserted
    finding = caught.value.findings[0]
    assert str(finding).startswith("hub.yaml:")
    assert finding.mark.line >= 1
    assert str(finding).isprintable()
    assert len(str(finding)) < 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_refused_as_a_whole_site_too(name: str, tmp_path: Path) -> None:
    """No finding of the loader is lost on the way, and no other error comes in its place."""
    config = tmp_path / "hub.yaml"
    config.write_text(CORPUS[name], "utf-8", "surrogatepass")
    with pytest.raises(ConfigError):
        load_site(config)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_bytes(b"a: [" + b"x, " * (4 * MIB) + b"x]\n")
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="larger than"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * MIB
    finally:
        tracemalloc.stop()
    assert MAX_BYTES < 12 * MIB


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full"])
def test_a_file_without_end_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="larger than"):
        load(Path(path))


@pytest.mark.parametrize(
    "word", ["22:30", "no", "off", "010", "0x1F", "1e3", "~", "1_000", ".inf", "2026-11-21", "=", "Yes"]
)
def test_a_word_stays_what_was_written(word: str) -> None:
    """YAML 1.1 makes 1350, False, 8, 31 and a date of these."""
    node = loads(f"a: {word}\n", "hub.yaml")
    assert isinstance(node, Mapping)
    assert getattr(node.get("a"), "text", None) == word


@pytest.mark.parametrize(("begin", "good"), [('"22:30"', True), ("22:30", False), ("1350", False), ('"24:30"', False)])
def test_a_time_of_day_is_quoted(begin: str, good: bool, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "hub.yaml").write_text(GOOD)
    text = (ROOT / "rules" / "bike_shed_at_night.yaml").read_text("utf-8")
    assert '"23:00"' in text
    text = text.replace('"23:00"', begin).replace("manager", "guard")
    (tmp_path / "rules" / "r.yaml").write_text(text)
    with nullcontext() if good else pytest.raises(ConfigError, match=r"rules/r\.yaml:\d+:\d+: .*HH:MM|22:30"):
        load_site(tmp_path / "hub.yaml")
