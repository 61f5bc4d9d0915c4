"""The demo: a copy of the shipped site with short times and free ports, and the simulated estate beside it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_bridge import demo_images
from firmware_bridge.node_process import CODE
from hub.config import integrations
from hub.demo.quarter import ALONE, SECRET, Quarter
from hub.model.time import SECOND, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
#: The port of the page in the shipped hub.yaml; the others follow it.
BASE = 8420
#: By how much the times of the rules are shortened: three minutes become six seconds.
FASTER = 30
#: Seconds from the start of the estate to its story: without and with a camera that must first see the empty lane.
STORY, STORY_SEEN = 5, 12
#: But not below this, so that the simulated car has left the picture when the lane is clear.
SHORTEST = 3 * SECOND

_TIME = re.compile(r"\b(for|after): (\d+ (?:s|min|h))\b")
#: The simulated serial lines: as they stand in the shipped hub.yaml, and their names in the estate's folder.
_LINES = {"/dev/serial/by-id/demo-smoke-board": "smoke_board", "/dev/serial/by-id/demo-node": "node",
          "/dev/serial/by-id/demo-door-reader": "reader"}  # fmt: skip
_CODE = re.compile(r"\bfirmware_node_[a-z0-9_]+_code\b")
_SECRETS = ("lane_3_camera", "gate_north_key", "unit_3_speaker", SECRET)
_PORT = re.compile(r"(127\.0\.0\.1:|port: )(84[234]\d)\b")


@dataclass(frozen=True, slots=True)
class DemoSite:
    """Where the copy is."""

    config: Path
    data: Path
    port: int
    password: str
    signer: str = ""
    """Public key of who signs the nodes' images, hexadecimal; empty where the library for it is missing."""

    quarter: Quarter = ALONE
    """What joins when the hub is up."""

    @property
    def images(self) -> Path:
        """Return the folder of images to try an update with."""
        return self.data.parent / "firmware"

    def at(self, offset: int) -> int:
        """Return a port of the estate."""
        return self.port + offset


def prepare(data: Path, port: int, guests: tuple[Path, ...] = (), quarter: Quarter = ALONE) -> DemoSite:
    """Write the copy of the site below ``data`` in the place of an earlier one; the journal is kept.

    ``guests`` are folders of integrations that take part, ``quarter`` is what joins later. Raises ConfigError for a
    guest that is none.
    """
    folder = data.absolute() / "site"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "rules").mkdir(mode=0o700, parents=True)
    text = (ROOT / "hub.yaml").read_text("utf-8")
    text = _ports(text, port)
    for line, name in _LINES.items():
        text = text.replace(line, json.dumps(str(_estate(data) / name), ensure_ascii=False))  # a path may hold anything
    (folder / "hub.yaml").write_text(_with_guests(text, folder / "integrations", guests), "utf-8")
    for rule in sorted((ROOT / "rules").glob("*.yaml")):
        (folder / "rules" / rule.name).write_text(_TIME.sub(_shorter, rule.read_text("utf-8")), "utf-8")
    password = secrets.token_urlsafe(12)
    path = folder / "secrets.yaml"
    path.touch(mode=0o600)
    codes = "".join(f'{name}: "{CODE}"\n' for name in sorted(set(_CODE.findall(text))))
    names = "".join(f'{name}: "{password}"\n' for name in _SECRETS)
    path.write_text(names + codes, "utf-8")
    signer = _signer(data.absolute() / "firmware", folder)
    return DemoSite(folder / "hub.yaml", data.absolute() / "hub", port, password, signer, quarter)


def moving(port: int) -> Callable[[str], str]:
    """Return what gives a file of the shipped site the short times of the demo and the ports that follow ``port``."""
    return lambda text: _TIME.sub(_shorter, _ports(text, port))


def _ports(text: str, port: int) -> str:
    """Move the ports of the shipped site to those that follow ``port``."""
    return _PORT.sub(lambda m: f"{m[1]}{int(m[2]) - BASE + port}", text)


def _with_guests(text: str, to: Path, guests: tuple[Path, ...]) -> str:
    """Copy integrations beside the site; who reads messages is entered there, whose devices are named by the page."""
    for guest in guests:
        shutil.copytree(guest, to / guest.name)
    integrations.include(to)
    for guest in guests:
        if "decoder" in integrations.manifest(guest.name).kind:
            text = text.replace("\nintegrations:", f"\nintegrations:\n  {guest.name}: {{}}  #", 1)
    return text


def _signer(images: Path, site: Path) -> str:
    """Make images to try an update with, and let the site know who signed them."""
    if importlib.util.find_spec("cryptography") is None:
        return ""
    signer = demo_images.make(images).hex()
    shutil.copyfile(images / demo_images.PUBLIC, site / demo_images.PUBLIC)
    return signer


@contextmanager
def estate(site: DemoSite, *, auto: bool) -> Iterator[None]:
    """Run the simulated devices, each a process of its own, as long as the context lasts."""
    command = [sys.executable, "-m", "integrations.sim.estate", "--base-port", str(site.port)]
    command += ["--mqtt", f"127.0.0.1:{site.at(10)}", "--data", str(_estate(site.data.parent))]
    command += ["--signer", site.signer] if site.signer else []
    command += ["--parent", str(os.getpid())]
    command += ["--auto", str(STORY if unseeing() else STORY_SEEN)] if auto else []
    command += ["--late", *site.quarter.programs] if site.quarter.programs else []
    if site.quarter.bus:
        command += ["--bus", site.quarter.bus]
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = site.quarter.bus  # where the hub hears Bluetooth
    # Ctrl+C in a terminal is told to all of its programs at once: these would be gone before the hub that hears them
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(site), stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    joining = threading.Thread(target=_join, args=(site, process), daemon=True)
    joining.start()
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(8)  # it ends its devices first
        except subprocess.TimeoutExpired:
            process.kill()
        joining.join(5)  # what the estate says has ended with it


def _join(site: DemoSite, process: subprocess.Popen[str]) -> None:
    """Let the quarter join as soon as the estate says that its programs are up; say so when the estate fails."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    with process.stdout:
        for line in process.stdout:
            if parts := site.quarter.played_by(json.loads(line).get("late", ())):
                command = [sys.executable, "-m", "hub.demo.join", str(site.config), str(site.port)]
                subprocess.run([*command, *(part.file for part in parts)], cwd=ROOT, check=False)  # noqa: S603 - ours
    if process.wait() > 0:
        sys.stderr.write(
            "模拟小区没有运行（原因见上一行），页面上的设备都会失联；请 Ctrl+C 后重来，端口被占用时加 --port\n"
            "the simulated estate does not run (the line above says why), so all devices are missing: stop with Ctrl+C "
            "and try again, with --port where a port is taken\n"
        )


def _estate(data: Path) -> Path:
    return data.absolute() / "estate"


def _environment(site: DemoSite) -> dict[str, str]:
    """Hand the camera its password where other users do not see it, unlike in the arguments."""
    return {**os.environ, "MENSHEN_SIM_PASSWORD": site.password}


def unseeing() -> tuple[str, ...]:
    """Return what the camera would need to see and is not installed; empty where it sees."""
    return tuple(name for name in ("numpy", "av") if importlib.util.find_spec(name) is None)


def greeting(url: str, token: str, site: DemoSite) -> str:
    """Say where to look."""
    return (
        f"\n  门神演示已就绪，请打开 / the demo is ready, open:\n\n    {url}#token={token}\n\n"
        f"  模拟小区（来车、开走、再演示一次） / simulated estate: http://127.0.0.1:{site.at(6)}/\n"
        f"  车辆停留 6 秒后喊话，约半分钟演完 / the car is warned after 6 s; the story takes half a minute\n"
        f"{_sight()}"
        f"{site.quarter.words()}"
        f"  试升级节点固件（页面“固件”，一个正常、一个会崩溃） / images to try an update with: {site.images}\n"
        f"  Ctrl+C 结束 / to stop\n"
    )


def _sight() -> str:
    """Say what the camera does."""
    if missing := unseeing():
        names = ", ".join(missing)
        return (
            f"  摄像机识别未安装（缺 {names}），演示照常：pip install 'menshen[detect]'"
            f" / the camera does not see ({names} missing), all else works\n"
        )
    return "  摄像机也在看这条通道：页面“看”；按“停在地磁旁”只有它看得见 / the camera watches the lane, too: page 看\n"


def _shorter(match: re.Match[str]) -> str:
    shortened = max(parse_duration(match[2]) // FASTER, SHORTEST)
    return f"{match[1]}: {format_duration(shortened // SECOND * SECOND)}"
