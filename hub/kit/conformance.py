"""Does an integration keep what the hub relies on? Each check tells what it found in a sentence one can act on."""

from __future__ import annotations

import ast
import asyncio
import gc
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub.config import integrations
from hub.kit import manifest as of
from hub.kit import sessions
from hub.kit.captures import CaptureError, Line, Player, read_lines
from hub.kit.far_end import Mood
from hub.kit.fuzz import Fuzzer
from hub.model.document import Mapping
from hub.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hub.sdk import Plugin

#: Messages thrown at a decoder, and the seed that they are made from.
ROUNDS, SEED = 2_000, 20_261
#: Seconds that an integration's own tests may take.
OWN_TESTS = 300
_MOODS = tuple(mood for mood in Mood if mood is not Mood.WELL)

State = Literal["passed", "failed", "skipped"]


class Result(msgspec.Struct, frozen=True):
    """What one check found."""

    check: str
    state: State
    findings: tuple[str, ...] = ()
    note: str = ""


def conformance(folder: Path, *, own_tests: bool = True) -> list[Result]:
    """Check the integration in ``folder``; what cannot be checked after a failure is left out."""
    folder = folder.resolve()
    integrations.include(folder.parent)
    results: list[Result] = []
    try:
        manifest = integrations.manifest(folder.name)
    except ConfigError as error:
        return [Result("manifest", "failed", (str(error),))]
    results.append(_result("manifest", of.of_manifest(folder.name, manifest)))
    results.append(_result("quality ledger", of.of_ledger(manifest.quality), note=_ledger(manifest.quality)))
    results.append(_result("imports only hub.sdk", _foreign_imports(folder)))
    before = threading.active_count()
    try:
        plugin = integrations.plugin(folder.name)
    except ConfigError as error:
        return [*results, Result("import", "failed", (str(error),))]
    started = threading.active_count() - before
    results.append(_result("import", [f"importing it starts {started} threads"] if started else []))
    results.append(_result("configuration", of.of_configuration(manifest, plugin)))
    results += _captures(folder, plugin)
    if own_tests:
        results.append(_own_tests(folder))
    return results


def _result(check: str, findings: Iterable[str], note: str = "") -> Result:
    found = tuple(findings)
    return Result(check, "failed" if found else "passed", found, note)


def _ledger(quality: list[Any]) -> str:
    states = [line.get("state") for line in quality if isinstance(line, dict)]
    return ", ".join(f"{states.count(state)} {state}" for state in ("done", "todo", "exempt") if states.count(state))


def _foreign_imports(folder: Path) -> Iterator[str]:
    """Find what an integration must not know: the inside of the hub, and other integrations."""
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder)
        if place.parts[0] == "tests":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                foreign = name == "hub" or (name.startswith("hub.") and name != "hub.sdk")
                if foreign or (name.startswith("integrations.") and name.split(".")[1] != folder.name):
                    yield f"{place}:{node.lineno} imports {name}"


def _captures(folder: Path, plugin: Plugin) -> Iterator[Result]:
    files = sorted((folder / "captures").glob("*.jsonl"))
    try:
        scenes = [read_lines(file) for file in files]
    except CaptureError as error:
        yield Result("captures", "failed", (str(error),))
        return
    messages = [lines for lines in scenes if not sessions.sessional(lines)]
    dialogues = [lines for lines in scenes if sessions.sessional(lines)]
    if plugin.decoder is not None or plugin.uplinks is not None:
        yield _guarded("captures decoded", lambda: _decoded(plugin, messages), f"{sum(map(len, messages))} lines")
        yield _guarded(f"hostile and broken messages ({ROUNDS})", lambda: _fuzzed(plugin, messages))
    if plugin.session is not None:
        spoken = [lines for lines in dialogues if sessions.speaks_http(lines)]
        if not spoken:
            yield Result("session", "skipped", note="no capture of HTTP: its own tests must show what it does")
            return
        with tempfile.TemporaryDirectory(prefix="menshen-kit-") as data:
            yield _guarded("session as recorded", lambda: _played(plugin, spoken, Path(data)), f"{len(spoken)} scenes")
            yield from _misbehaving(plugin, spoken[0], Path(data))


def _guarded(check: str, run: Callable[[], Iterable[str]], note: str = "") -> Result:
    try:
        return _result(check, run(), note)
    except CaptureError as error:
        return Result(check, "failed", (str(error),))


def _decoded(plugin: Plugin, scenes: list[list[Line]]) -> Iterator[str]:
    if not any(scenes):
        yield "there is no capture: record one with `menshen record mqtt` and say what it must become"
    for lines in scenes:
        player = Player(plugin, configured(plugin, lines))
        for line in lines:
            if "config" in line.said:
                continue
            found = msgspec.to_builtins(player.play(line.message))
            if found != line.said.get("expect"):
                yield f"{line.file}:{line.number}: became {found}, `expect` says {line.said.get('expect')}"


def _fuzzed(plugin: Plugin, scenes: list[list[Line]]) -> Iterator[str]:
    for lines in scenes:
        yield from Fuzzer(plugin, configured(plugin, lines), SEED).run(lines, ROUNDS // len(scenes))


def configured(plugin: Plugin, lines: list[Line]) -> Any:
    """Return the decoder's configuration that a capture names. Raises CaptureError."""
    part = plugin.decoder or plugin.uplinks
    values: dict[str, Any] = next((line.said["config"] for line in lines if "config" in line.said), {})
    try:
        return None if part is None else integrations.convert(Mapping("config", 1, 1, ()), values, part.config)
    except ConfigError as error:
        raise CaptureError(f"{lines[0].file if lines else 'captures'}: `config` is wrong: {error}") from None


def _played(plugin: Plugin, scenes: list[list[Line]], data: Path) -> list[str]:
    return [finding for lines in scenes for finding in _leaving(sessions.recorded(plugin, lines, data))]


def _misbehaving(plugin: Plugin, lines: list[Line], data: Path) -> Iterator[Result]:
    """One far end for each mood, all at once: most of them are waiting for a time-out."""

    async def all_moods() -> list[list[str]]:
        return await asyncio.gather(*(sessions.mooded(plugin, lines, mood, data) for mood in _MOODS))

    for mood, findings in zip(_MOODS, asyncio.run(all_moods()), strict=True):
        yield _result(f"far end {mood.value}", findings)


def _leaving(play: Any) -> list[str]:
    """Run one scene in a loop of its own; what is left behind when it has ended is a finding, too."""

    async def main() -> list[str]:
        before = asyncio.all_tasks()
        findings: list[str] = await play
        for _ in range(20):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - before
        return [*findings, *(f"after unloading, a task is left: {task.get_coro()!r}" for task in left)]

    threads, files = threading.active_count(), _open_files()
    findings = asyncio.run(main())
    gc.collect()
    if threading.active_count() > threads:
        findings.append("after unloading, a thread is left")
    if (more := _open_files() - files) > 0:
        findings.append(f"after unloading, {more} more files or sockets are open")
    return findings


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _own_tests(folder: Path) -> Result:
    """Run the tests that came with it."""
    if not any((folder / "tests").glob("test_*.py")):
        return Result("own tests", "failed", ("there is no tests/test_*.py",))
    how = ("-q", "-x", "--no-header", "-p", "no:cacheprovider")
    arguments = [sys.executable, "-m", "pytest", *how, str(folder / "tests")]
    try:
        done = subprocess.run(  # noqa: S603 - the author's own tests
            arguments, cwd=folder.parent.parent, capture_output=True, text=True, timeout=OWN_TESTS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Result("own tests", "failed", (f"not done within {OWN_TESTS} s",))
    if "No module named pytest" in done.stderr:
        return Result("own tests", "skipped", note="pytest is not installed: install Menshen with menshen[author]")
    if done.returncode == 0:
        return Result("own tests", "passed", note=done.stdout.strip().rpartition("\n")[2])
    last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-12:]
    return Result("own tests", "failed", tuple(last))
