"""The hub asks nobody: no name but the loopback's is looked up, no other address is called, nothing else is written."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.broker import Broker, free_port
from tests.kit.hub import MARK, HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import Ends, short_rule, write_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

#: Seconds for one step of a hub below strace, on a machine that does something else too.
PATIENCE = 40.0

#: Runs before anything else in every Python that is started; writes down each question to the resolver and each call.
SPY = """
import os, socket
_log = os.environ["MENSHEN_TEST_SPY"]
def _note(kind, host):
    host = host.decode() if isinstance(host, bytes) else str(host)
    with open(_log, "a") as file:
        file.write(f"{kind} {host}\\n")
def _watch(name):
    real = getattr(socket, name)
    def asked(host, *rest, **more):
        _note(name, host)
        return real(host, *rest, **more)
    setattr(socket, name, asked)
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getfqdn"):
    _watch(name)
def _call(name):
    real = getattr(socket.socket, name)
    def called(self, *given):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _note(name, given[-1][0])
        return real(self, *given)
    setattr(socket.socket, name, called)
for name in ("connect", "connect_ex", "sendto"):
    _call(name)
"""
EVERYTHING = """
import importlib, pkgutil, sys
for root in ("hub", "integrations"):
    package = importlib.import_module(root)
    for module in pkgutil.walk_packages(package.__path__, root + "."):
        if ".tests" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(sum(name.split(".")[0] in {"hub", "integrations"} for name in sys.modules))
"""
#: What a program may open for writing that is no file of its own.
DEVICES = re.compile(r"/dev/(null|tty|urandom|shm/.*)|/proc/self/.*")
_WRITES = re.compile(
    r'(?:open(?:at)?|creat)\([^"]*"([^"]*)"[^)]*(?:O_WRONLY|O_RDWR|O_CREAT)[^)]*\)\s+= \d'
    r'|(?:mkdir|mkdirat|rename|renameat2?|unlink|unlinkat|symlink|link)\([^"]*"([^"]*)".*\)\s+= 0'
)
_UNFINISHED, _RESUMED = " <unfinished ...>", re.compile(r"<\.\.\. \w+ resumed>")


class Watched:
    """An environment with an empty home, an empty folder for temporary files, and a spy."""

    def __init__(self, folder: Path) -> None:
        self.home, self.tmp, self.cwd, spy = (folder / name for name in ("home", "tmp", "cwd", "spy"))
        for path in (self.home, self.tmp, self.cwd, spy):
            path.mkdir()
        (spy / "sitecustomize.py").write_text(SPY)
        self._log = folder / "asked.txt"
        self.env = {
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "PYTHONPATH": str(spy),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MENSHEN_TEST_SPY": str(self._log),
        }

    def inherited(self) -> dict[str, str]:
        """Return the whole environment, without ``CI`` and without what a desktop says of other folders."""
        kept = {
            key: value for key, value in os.environ.items() if key != "CI" and not key.startswith(("XDG", "PYTEST"))
        }
        return {**kept, **self.env}

    def asked(self) -> list[str]:
        """Return the lines of the spy."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def check(self) -> None:
        """Nobody but the loopback was asked or called, and no folder of the user has anything in it."""
        foreign = [line for line in self.asked() if line.split(" ", 1)[1] not in {"127.0.0.1", "::1", "localhost"}]
        assert foreign == []
        assert [*self.home.rglob("*"), *self.tmp.rglob("*"), *self.cwd.rglob("*")] == []


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_importing_everything_asks_nobody_and_writes_nothing(watched: Watched) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING],
        cwd=watched.cwd,
        env=watched.inherited(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 80
    assert watched.asked() == []
    watched.check()


def test_the_spy_sees_a_look_up(watched: Watched) -> None:
    script = "import socket\ntry: socket.getaddrinfo('menshen.invalid', 1)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", script], env=watched.inherited(), timeout=30, check=True)
    with pytest.raises(AssertionError, match=r"menshen\.invalid"):
        watched.check()


def test_a_hub_asks_nobody(tmp_path: Path, broker: Broker, watched: Watched, hub_of: MakeHub) -> None:
    need_mosquitto()
    config = site(tmp_path, broker)
    hub = hub_of(config)
    hub.start(cwd=watched.cwd, without=("CI", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), env=watched.env)
    live_a_little(hub, broker)
    assert hub.terminate()[0] == 0
    assert any(line.endswith("127.0.0.1") for line in watched.asked()), "the spy did not run"
    watched.check()


def test_a_hub_writes_only_into_its_folders(tmp_path: Path, broker: Broker, watched: Watched, hub_of: MakeHub) -> None:
    need_mosquitto()
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("strace is not installed or may not trace: what the hub writes is not watched")
    calls = "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,symlink,link"
    trace = tmp_path / "trace"
    config = site(tmp_path, broker)
    hub = hub_of(config)
    hub.start(
        cwd=watched.cwd,
        without=("CI",),
        prefix=(strace, "-f", "-qq", "-e", f"trace={calls}", "-o", str(trace)),
        env=watched.env,
    )
    live_a_little(hub, broker)
    os.kill(traced(hub), signal.SIGTERM)
    assert hub.ended(PATIENCE) == 0
    written = {
        match[1] or match[2] for line in whole(trace.read_text("utf-8", "replace")) if (match := _WRITES.search(line))
    }
    own = str(hub.data)
    assert f"{own}/journal.sqlite3" in written, "the trace shows nothing"
    spy = watched.env["MENSHEN_TEST_SPY"]
    foreign = {path for path in written if not path.startswith(own) and path != spy and not DEVICES.fullmatch(path)}
    # a temporary name inside a folder that was opened as such
    assert {path for path in foreign if path.startswith("/") or ".." in path} == set()
    watched.check()


def site(folder: Path, broker: Broker) -> Path:
    """A site with every device of the first release, none of which is there."""
    ends = Ends(camera=free_port(), rtp=free_port(), play=free_port(), webhook=free_port())
    config = write_site(folder / "site", {"url": broker.url}, ends, door=True)
    write_rule(config, "fire_lane_blocked", "1 s", "2 s", "3 s", "1 s")
    short_rule(config, "1 s")
    return config


def live_a_little(hub: HubProcess, broker: Broker) -> None:
    """Let it speak, take a picture and tell somebody, all of it in vain."""
    lane = Lane(broker.port)
    lane.announce()
    until(hub.entities, lambda known: lane.entity in known, within=PATIENCE)
    lane.occupied()
    until(hub.incidents, within=PATIENCE)
    tried = until(
        lambda: [step for found in hub.incidents() for step in found["timeline"] if step.get("action") == "notify"],
        within=PATIENCE,
    )
    assert tried


def whole(trace: str) -> Iterator[str]:
    """Give the calls of a trace; one that another thread's call interrupted stands in two lines."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        thread, call = line.split(maxsplit=1)
        if call.endswith(_UNFINISHED):
            begun[thread] = call.removesuffix(_UNFINISHED)
        elif resumed := _RESUMED.match(call):
            yield begun.pop(thread, "") + call[resumed.end() :]
        else:
            yield call


def traced(hub: HubProcess) -> int:
    """Return the hub's own process below strace."""
    for pid in hub.family():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it spoke a sentence and has ended since
        if command[1:4] == [b"-m", b"hub", b"run"] and int(parent) == hub.pid:
            return pid
    raise AssertionError(f"no hub below strace; look for {MARK}")
