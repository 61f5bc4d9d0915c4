"""A real Mosquitto of a test's own, on a free loopback port."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Seconds the broker may take to start and to stop.
PATIENCE = 5.0


def find_mosquitto() -> str | None:
    """Return the program's path; Debian keeps it in a folder that is not on every user's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def only_heard(*topics: str, folder: Path) -> tuple[str, ...]:
    """Return what lets Mosquitto refuse subscriptions to all but ``topics``; its file of ACLs refuses none."""
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)
    if plugin is None:
        pytest.skip("mosquitto_dynamic_security.so is not installed: no broker here can refuse a subscription")
    acls = [{"acltype": "subscribePattern", "topic": topic, "allow": True} for topic in topics]
    path = folder / "dynamic.json"
    access = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
    path.write_text(
        json.dumps(
            {
                "defaultACLAccess": access,
                "groups": [{"groupname": "all", "roles": [{"rolename": "some"}]}],
                "roles": [{"rolename": "some", "acls": acls}],
                "anonymousGroup": "all",
            }
        )
    )
    return (f"plugin {plugin}", f"plugin_opt_config_file {path}")


class Broker:
    """One broker process; the port stays the same over stop and start."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, *, persistent: bool = False, extra: tuple[str, ...] = ()) -> None:
        program = find_mosquitto()
        if program is None:
            raise FileNotFoundError("mosquitto is not installed")
        self._program = program
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._persistent = persistent
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """Host and port as one text."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address with its scheme."""
        return f"mqtt://{self.address}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start and wait until it accepts connections. Raises RuntimeError with the broker's own words."""
        if self._process is not None:
            raise RuntimeError("the broker runs already")
        for _ in range(5):  # another program may take a free port first
            self.port = self.port or free_port()
            if self._try_start():
                return
            fixed, self.port = self.port, 0
        raise RuntimeError(f"mosquitto did not start on port {fixed}: {self.log()[-500:]}")

    def stop(self) -> None:
        """End it as a service manager does."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(kill=True)

    def log(self) -> str:
        """Return what it wrote."""
        path = self._folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _try_start(self) -> bool:
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(self._configure())], stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
                continue
            return self._process.poll() is None
        self._end(kill=True)
        return False

    def _configure(self) -> Path:
        lines = [
            f"listener {self.port} {self.host}",
            "allow_anonymous true",
            "set_tcp_nodelay true",
            "log_dest stderr",
            f"user {getpass.getuser()}",  # else, started by root, it changes to a user who cannot write here
            f"persistence {str(self._persistent).lower()}",
            *self._extra,
        ]
        if self._persistent:
            lines += [f"persistence_location {self._folder}/", "autosave_interval 1", "autosave_on_changes true"]
        path = self._folder / "mosquitto.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        (process.kill if kill else process.terminate)()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Lend a running broker; skips by name where Mosquitto is missing."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: tests against a real MQTT broker cannot run")
    made = Broker(tmp_path / "broker")
    made.start()
    try:
        yield made
    finally:
        made.stop()
