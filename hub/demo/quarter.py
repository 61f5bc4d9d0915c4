"""Building 6 of the demo joins the site when hub and far ends are up: so the first page does not wait for it.

What is not installed here is left out, and said.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.config.edit import SiteEditor
from hub.config.yaml import loads, plain
from hub.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: What is added to the site: a file for each part, and a folder for its rules.
SITE = Path(__file__).parents[2] / "integrations" / "sim" / "quarter_site"
#: The secret that all its devices share.
SECRET = "building_6"  # noqa: S105 - a name, no password


@dataclass(frozen=True, slots=True)
class Part:
    """Some devices, the simulated program that plays them, and what they need of this machine."""

    file: str
    program: str
    name: Text
    missing: Callable[[], Text | None]
    """Name what they need and is not here."""

    def text(self) -> str:
        """Return what is added to hub.yaml."""
        return (SITE / f"{self.file}.yaml").read_text("utf-8")

    def rules(self) -> list[Path]:
        """Return the files of its rules."""
        return sorted((SITE / "rules" / self.file).glob("*.yaml"))


def _nothing() -> Text | None:
    return None


def _bacnet() -> Text | None:
    return _modules("bacpypes3")


def _bluetooth() -> Text | None:
    if sys.platform != "linux":
        return Text("Linux")
    return _modules("bleak", "dbus_fast") or (None if shutil.which("dbus-daemon") else Text("dbus-daemon"))


def _sound() -> Text | None:
    program = shutil.which("aplay")
    if program is None:
        return Text("aplay")
    cards = subprocess.run([program, "-l"], stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False)  # noqa: S603
    return Text("声卡", "a sound card") if b"no soundcards" in cards.stderr else None


def _modules(*names: str) -> Text | None:
    return next((Text(name) for name in names if importlib.util.find_spec(name) is None), None)


#: The first that says something of an entry is believed.
PARTS = (
    Part("sound", "quarter", Text("值班室音箱", "the duty room's loudspeaker"), _sound),
    Part("building_6", "quarter", Text("6号楼", "building 6"), _nothing),
    Part("lift", "bacnet_lift", Text("6号楼电梯", "its lift"), _bacnet),
    Part("cellar", "quarter", Text("地下室门", "its cellar door"), _bluetooth),
)


@dataclass(frozen=True, slots=True)
class Quarter:
    """What of it can be played here."""

    parts: tuple[Part, ...] = ()
    left_out: tuple[tuple[Part, Text], ...] = ()
    """And what each of them lacks."""
    bus: str = ""
    """Address of the D-Bus on which Bluetooth is played; no file lies there, and only this user may speak on it."""

    @property
    def programs(self) -> tuple[str, ...]:
        """Return the simulated programs that play it."""
        return tuple(sorted({part.program for part in self.parts}))

    def played_by(self, up: Iterable[str]) -> tuple[Part, ...]:
        """Return the parts whose programs are ``up``."""
        there = set(up)
        return tuple(part for part in self.parts if part.program in there)

    def words(self) -> str:
        """Say what joins and what is left out."""
        if not self.parts:
            return ""
        line = "  6号楼随后几秒加入 / building 6 joins in some seconds\n"
        if self.left_out:
            zh = "、".join(f"{part.name.zh}（缺 {lack.zh}）" for part, lack in self.left_out)
            en = ", ".join(
                f"{part.name.in_language('en')} ({lack.in_language('en')} missing)" for part, lack in self.left_out
            )
            line += f"    但没有 / without: {zh} / {en}\n"
        return line


#: No such quarter: the demo is small.
ALONE = Quarter()


def find() -> Quarter:
    """Look what of it can be played on this machine."""
    looked = [(part, part.missing()) for part in PARTS]
    parts = tuple(part for part, lack in looked if lack is None)
    bus = f"unix:abstract=menshen-demo-{secrets.token_hex(8)}" if any(part.file == "cellar" for part in parts) else ""
    return Quarter(parts, tuple((part, lack) for part, lack in looked if lack is not None), bus)


def join(config: Path, parts: Iterable[Part], moved: Callable[[str], str]) -> None:
    """Add parts to the site at ``config``, each file as ``moved`` makes it. Raises ConfigError.

    The rules come last: they name what hub.yaml must have by then.
    """
    joining = list(parts)
    SiteEditor(config).join([plain(loads(moved(part.text()), part.file)) for part in joining])
    for rule in (rule for part in joining for rule in part.rules()):
        (config.parent / "rules" / rule.name).write_text(moved(rule.read_text("utf-8")), "utf-8")
