"""What is begun with ``menshen new`` conforms; each thing that an author may do wrong is found by its check."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import integrations as packages
from hub.cli import main
from hub.kit import conformance as checks
from hub.kit import sessions
from hub.kit.conformance import Result, conformance
from hub.kit.far_end import Mood
from hub.kit.skeleton import KINDS, SkeletonError, write

SHIPPED = sorted(path.parent for path in (Path(__file__).parents[3] / "integrations").glob("*/manifest.yaml"))
NAME = "kit_try"
QUICK = (Mood.GONE, Mood.ELSEWHERE)
INIT, MANIFEST, CAPTURE = "__init__.py", "manifest.yaml", "captures/example.jsonl"
SLEEPS = "await asyncio.sleep(config.every_s)"


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test writes another integration of the same name."""
    monkeypatch.setattr(packages, "__path__", list(packages.__path__))
    monkeypatch.setattr(checks, "_MOODS", QUICK)
    yield
    for name in [name for name in sys.modules if name.startswith(f"integrations.{NAME}")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def failed(results: list[Result]) -> dict[str, str]:
    return {result.check: " ".join(result.findings) for result in results if result.state == "failed"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_skeleton_conforms_and_is_small(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_MOODS", tuple(mood for mood in Mood if mood is not Mood.WELL))
    write(tmp_path, NAME, kind, "我的门磁", "me")
    results = conformance(tmp_path / NAME, own_tests=False)
    assert failed(results) == {}
    assert len(results) >= 7
    code = (tmp_path / NAME / INIT).read_text("utf-8").splitlines()
    assert len([line for line in code if line.strip()]) <= 35


@pytest.mark.parametrize(
    ("kind", "file", "old", "new", "check", "says"),
    [
        ("mqtt", INIT, 'clean(message.topic.split("/")[1], 40)', 'message.topic.split("/")[1]', "hostile", "clean()"),
        ("mqtt", INIT, "not isinstance(battery, int) or ", "", "hostile", "TypeError instead of a DecodeError"),
        ("mqtt", INIT, " or not 0 <= battery <= 100", "", "hostile", "a battery of"),
        ("mqtt", INIT, 'entity_id("$domain", ', 'entity_id("other", ', "hostile", f"must begin with `{NAME}.`"),
        ("mqtt", INIT, "import msgspec\n", "import msgspec\nimport hub.model.text\n", "imports", "hub.model.text"),
        ("mqtt", INIT, 'plugin = Plugin("$domain")', "plugin = 1 / 0", "import", "ZeroDivisionError"),
        ("mqtt", INIT, "json_object(message.payload)", '{"open": True, "battery": 87}', "captures", ":2: became"),
        ("mqtt", MANIFEST, "default: $domain", "default: other", "configuration", "config.prefix is"),
        ("mqtt", MANIFEST, "prefix:", "prefixes:", "configuration", "missing from `config`"),
        ("mqtt", MANIFEST, "en: First level of the topics", "en: ''", "manifest", "needs `en`"),
        ("mqtt", MANIFEST, "domain: $domain", "domain: other", "manifest", "the folder is called"),
        ("mqtt", MANIFEST, "state: todo", "state: exempt", "quality ledger", "without a `reason`"),
        ("mqtt", CAPTURE, '"topic"', '"tropic"', "captures", "needs `topic`"),
        ("http", INIT, SLEEPS, f"__import__('time').sleep(0.3); {SLEEPS}", "session as recorded", "held up"),
        ("http", INIT, "    return Connection(", "    asyncio.ensure_future(asyncio.sleep(60))\n    return Connection(",
         "session as recorded", "a task is left"),
        ("http", INIT, "    return Connection(", "    __import__('os').open('/dev/null', 0)\n    return Connection(",
         "session as recorded", "more files or sockets"),
        ("http", INIT, "await fetch(tools.http, Request(config.url, limit=64))",
         "await (await tools.http.get(config.url)).read()", "far end redirects", "followed the redirect"),
        ("http", INIT, "Contact.OPEN}", "'ajar'}", "session as recorded", "is no value of"),
        ("notifier", INIT, 'check_address(config.url, "http", "https")', "await tools.http.get(config.url)",
         "far end is not there", "ClientConnectorError"),
    ],
)  # fmt: skip
def test_each_mistake_is_found(
    kind: str, file: str, old: str, new: str, check: str, says: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sessions, "NOTICED", 1.0)
    monkeypatch.setattr(sessions, "PLAYED", 2.0)
    write(tmp_path, NAME, kind, "门磁", "me")
    path = tmp_path / NAME / file
    before, old = path.read_text("utf-8"), old.replace("$domain", NAME)
    assert old in before
    path.write_text(before.replace(old, new, 1), "utf-8")
    found = failed(conformance(tmp_path / NAME, own_tests=False))
    assert [text for name, text in found.items() if name.startswith(check) and says in text], found


def test_its_own_tests_are_run(tmp_path: Path) -> None:
    write(tmp_path, NAME, "mqtt", "门磁", "me")
    test = tmp_path / NAME / "tests" / "test_conformance.py"
    test.write_text("def test_it() -> None:\n    assert 1 == 2\n", "utf-8")
    result = CliRunner().invoke(main, ["test-integration", str(tmp_path / NAME)])
    assert result.exit_code == 1
    assert "✗ own tests" in result.output
    assert "assert 1 == 2" in result.output
    assert "不合格 not conformant" in result.output
    test.unlink()
    assert "own tests" in failed(conformance(tmp_path / NAME))


def test_accept_writes_what_a_message_becomes(tmp_path: Path) -> None:
    write(tmp_path, NAME, "mqtt", "门磁", "me")
    capture = tmp_path / NAME / "captures" / "front.jsonl"
    capture.write_text(json.dumps({"topic": f"{NAME}/B2/state", "payload": '{"open": false, "battery": 5}'}) + "\n")
    results = CliRunner().invoke(main, ["test-integration", str(tmp_path / NAME), "--accept", "--json"])
    assert results.exit_code == 0, results.output
    expect = json.loads(capture.read_text("utf-8"))["expect"]
    assert expect["samples"] == [[f"{NAME}.b2", "closed", "good"]]
    assert expect["vitals"] == [["B2", 5, None]]


def test_the_command_writes_and_overwrites_nothing(tmp_path: Path) -> None:
    arguments = ["new", "integration", NAME, "--folder", str(tmp_path)]
    first = CliRunner().invoke(main, arguments, input="http\n")
    assert first.exit_code == 0, first.output
    assert "test-integration" in first.output
    again = CliRunner().invoke(main, arguments, input="http\n")
    assert again.exit_code == 1
    assert "is there already" in again.output


@pytest.mark.parametrize("name", ["Door", "../x", "1st", "", "a b"])
def test_names_that_are_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(SkeletonError):
        write(tmp_path, name, "mqtt", "门磁", "me")
    with pytest.raises(SkeletonError):
        write(tmp_path, NAME, "mqtt", "x: {", "me")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_shipped_integrations_conform(folder: Path) -> None:
    assert failed(conformance(folder, own_tests=False)) == {}
