"""The real hub as a process of its own: started, cut off, asked over HTTP, and ended with all it has started."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.commands.users import make_token
from tests.kit.http import get_json, request
from tests.kit.served import Waiting
from tests.kit.site import ROOT
from tests.kit.wait import until

#: Seconds until ready (0.9 on a quiet machine), and for an end that is overdue.
READY, STOP = 30.0, 20.0
#: Marks everything that a hub has started, in its environment.
MARK = "MENSHEN_TEST_HUB"
_METRIC = re.compile(r'menshen_messages_total\{integration="([^"]*)",result="([^"]*)"\} ([0-9.e+]+)')
_WAITING = re.compile(r'menshen_waiting\{queue="([^"]*)"\} ([0-9.e+]+)')

MakeHub = Callable[[Path], "HubProcess"]


class HubProcess:
    """One hub and its data folder, over any number of lives."""

    def __init__(self, config: Path, data: Path, module: str = "hub") -> None:
        self.config, self.data = config, data
        self._module = module
        self.url = ""
        self.lives = 0
        self.mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._token: str | None = None

    # its life

    def start(
        self,
        *,
        wait: bool = True,
        cwd: Path = ROOT,
        prefix: tuple[str, ...] = (),
        without: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it behind a command ``prefix``, with more environment and ``without`` some; ``wait`` until ready."""
        assert not self.running, "it runs already"
        self.lives += 1
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith("MENSHEN_") and key not in without
        }
        command = [*prefix, sys.executable, "-m", self._module, "run", "-c", str(self.config), "--data", str(self.data)]
        command += ["--port", "0"]
        with self._log.open("wb") as log, self._console.open("wb") as console:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**inherited, **(env or {}), MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=log,
                start_new_session=True,  # as systemd does: its workers step back behind it, not behind all of the tests
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait for the line that says where the page is."""
        until(lambda: self.said("hub.ready") or not self.running, within=READY, what="hub.ready")
        lines = self.said("hub.ready")
        assert lines, f"the hub ended before it was ready: {self.words()[-2000:]}"
        self.url = lines[0]["url"]

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP)

    def terminate(self) -> tuple[int, float]:
        """End it as a service manager does; return exit code and seconds, without those in which others had to wait."""
        assert self._process is not None
        waiting = Waiting()
        self._process.terminate()
        return self._process.wait(STOP), waiting.served

    def tell_to_end(self) -> None:
        """Send SIGTERM and do not wait."""
        assert self._process is not None
        self._process.terminate()

    def ended(self, within: float) -> int | None:
        """Wait for its end by itself; return the exit code, or None when it still lives."""
        assert self._process is not None
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def family(self) -> set[int]:
        """Return the processes that carry its mark: itself, and whatever it has started."""
        mark, found = f"{MARK}={self.mark}".encode(), set()
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes().split(b"\0"):
                    found.add(int(path.parent.name))
            except OSError:
                continue  # gone, or of another user
        return found

    def close(self) -> None:
        """End it and everything it has started."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    # what it says

    @property
    def _log(self) -> Path:
        return self.config.parent / f"hub-{self.lives}.log"

    @property
    def _console(self) -> Path:
        return self.config.parent / f"hub-{self.lives}.out"

    def printed(self) -> str:
        """Return what this life printed for the person at the console."""
        return self._console.read_text("utf-8", "replace")

    def words(self) -> str:
        """Return the standard error of this life."""
        return self._log.read_text("utf-8", "replace")

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of this life with that event."""
        lines = (line for line in self.words().split("\n")[:-1] if line.startswith("{") and f'"{event}"' in line)
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def run_again(self, port: str = "0", within: float = READY) -> tuple[int, str]:
        """Start a second hub on the same folders, which must end; return its exit code and words."""
        command = [sys.executable, "-m", "hub", "run", "-c", str(self.config), "--data", str(self.data), "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=within, check=False)
        return done.returncode, done.stderr.decode()

    # what it answers

    @property
    def token(self) -> str:
        """A token of an administrator, made as ``menshen users token`` does (that command: tests/e2e/test_desk.py)."""
        if self._token is None:
            self._token = make_token(self.data, "tester", "admin")
        return self._token

    def get(self, path: str) -> Any:
        """Return the JSON at an API path below ``/api/v1/``."""
        return get_json(f"{self.url}api/v1/{path}", token=self.token)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a change to an API path; return the status and the JSON of the answer, if any."""
        status, answer = request(method, f"{self.url}api/v1/{path}", body, token=self.token)
        return status, json.loads(answer) if answer else None

    def mode(self, mode: str, *, on: bool) -> None:
        """Switch a mode."""
        status, body = request("PUT", f"{self.url}api/v1/site/modes/{mode}", {"on": on}, token=self.token)
        assert status == 200, body

    def incidents(self) -> list[dict[str, Any]]:
        """Return up to 200 incidents, newest first."""
        items: list[dict[str, Any]] = self.get("incidents?limit=200")["items"]
        return items

    def entities(self) -> dict[str, dict[str, Any]]:
        """Return the known entities by id."""
        return {item["id"]: item for item in self.get("entities")["items"]}

    def phase(self, zone: str, rule: str) -> str | None:
        """Return where a rule stands in a zone."""
        rules = {item["rule"]: item["phase"] for item in self.get(f"zones/{zone}")["rules"]}
        phase: str | None = rules[rule]
        return phase

    def problems(self) -> list[str]:
        """Return the sentences of the banner."""
        return [problem["en"] for problem in self.get("site")["problems"]]

    def ready(self) -> bool:
        """Tell whether ``/readyz`` says so."""
        return request("GET", f"{self.url}readyz")[0] == 200

    def waiting(self) -> dict[str, int]:
        """Return the lengths of the hub's queues."""
        text = request("GET", f"{self.url}metrics")[1].decode()
        return {match[1]: int(float(match[2])) for match in _WAITING.finditer(text)}

    def messages(self) -> dict[tuple[str, str], int]:
        """Return the counts of messages by integration and result."""
        text = request("GET", f"{self.url}metrics")[1].decode()
        return {(match[1], match[2]): int(float(match[3])) for match in _METRIC.finditer(text)}


@pytest.fixture
def hub_of(tmp_path: Path) -> Iterator[MakeHub]:
    """Lend a maker of hubs (``config`` → not started); all are ended with everything they have started."""
    made: list[HubProcess] = []

    def make(config: Path) -> HubProcess:
        hub = HubProcess(config, tmp_path / f"data-{len(made)}")
        made.append(hub)
        return hub

    try:
        yield make
    finally:
        for hub in made:
            hub.close()
