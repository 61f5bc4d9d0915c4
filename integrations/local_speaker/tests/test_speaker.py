"""What the program is given, and how it is ended."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import yaml

import integrations.local_speaker as integration
from hub.sdk import Capability, Clip, CommandKey, Speaker, Text, Tools, Unreachable, Unsupported
from integrations.local_speaker.config import Config, Kind
from integrations.local_speaker.pcm import scaled
from tests.kit.patience import until

NAME = Text(zh="岗亭音箱")
KEY = CommandKey("0123456789abcdef" * 2)
CLIP = Clip(pcm=bytes(range(256)) * 400)  # 6.4 s, more than a pipe would hold
SHORT = Clip(pcm=bytes(range(256)))  # 16 ms


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a test installs be found first."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def player(folder: Path, mode: str, name: Kind = "aplay") -> Kind:
    """Install the far end under ``name`` and return that."""
    script = folder / name
    script.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("player.py").read_text())
    script.chmod(0o700)
    (folder / "mode").write_text(mode)
    return name


async def speaker(tools: Tools, config: Config) -> Speaker:
    (equipment,) = await integration.connect("booth", config, tools)
    assert (equipment.entity.id, equipment.entity.capability) == ("local_speaker.booth", Capability.SPEAKER)
    assert isinstance(equipment.driver, Speaker)
    return equipment.driver


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # its new parent may not have waited for it


@pytest.mark.parametrize(
    ("name", "device", "arguments"),
    [
        ("aplay", "", ["--quiet", "--file-type=wav", "-"]),
        ("aplay", "plughw:CARD=Device,DEV=0", ["--quiet", "--file-type=wav", "--device=plughw:CARD=Device,DEV=0", "-"]),
        ("pw-play", "", ["/dev/stdin"]),
        ("pw-play", "-o", ["--target=-o", "/dev/stdin"]),
    ],
)
async def test_the_program_reads_the_clip(
    name: Kind, device: str, arguments: list[str], tools: Tools, tmp_path: Path
) -> None:
    config = Config(name=NAME, program=player(tmp_path, "play", name), device=device)
    await (await speaker(tools, config)).play(CLIP, 100, KEY)
    assert json.loads((tmp_path / "heard.json").read_text()) == arguments
    assert Clip.from_wav((tmp_path / "heard.wav").read_bytes()) == CLIP


async def test_volume_is_in_what_is_played(tools: Tools, tmp_path: Path) -> None:
    loud = Clip(array("h", [10_000, -10_000, 1, 0]).tobytes())
    driver = await speaker(tools, Config(name=NAME, program=player(tmp_path, "play")))
    for volume, expected in ((50, [5_000, -5_000, 0, 0]), (0, [0, 0, 0, 0])):
        await driver.play(loud, volume, KEY)
        assert array("h", Clip.from_wav((tmp_path / "heard.wav").read_bytes()).pcm).tolist() == expected


def test_too_much_volume_saturates_and_half_a_sample_is_dropped() -> None:
    clip = Clip(array("h", [20_000, -20_000, 100]).tobytes() + b"\x01")
    assert array("h", scaled(clip, 200).pcm).tolist() == [32_767, -32_768, 200]
    assert scaled(Clip(b""), 50) == Clip(b"")


@pytest.mark.parametrize("mode", ["fail", "chatter"])
async def test_a_program_that_fails_is_quoted(mode: str, tools: Tools, tmp_path: Path) -> None:
    driver = await speaker(tools, Config(name=NAME, program=player(tmp_path, mode)))
    with pytest.raises(Unreachable, match=r"code 1: .*No such device") as caught:
        await driver.play(SHORT, 80, KEY)
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 400


@pytest.mark.parametrize("mode", ["hang", "orphan", "deaf"])
async def test_a_program_that_hangs_is_killed(mode: str, tools: Tools, tmp_path: Path) -> None:
    driver = await speaker(tools, Config(name=NAME, program=player(tmp_path, mode), grace_s=1))
    with pytest.raises(Unreachable, match="within 1 s"):
        await driver.play(SHORT, 80, KEY)
    for file in ("pid", "child"):
        if (tmp_path / file).exists():
            pid = int((tmp_path / file).read_text())
            await until(lambda pid=pid: not alive(pid))  # type: ignore[misc]


async def test_cancelled_it_falls_silent(tools: Tools, tmp_path: Path) -> None:
    driver = await speaker(tools, Config(name=NAME, program=player(tmp_path, "deaf")))
    open_before = descriptors()
    task = asyncio.create_task(driver.play(CLIP, 80, KEY))
    await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int((tmp_path / "pid").read_text()))
    assert descriptors() <= open_before + 1  # asyncio's own child watcher


@pytest.mark.parametrize(("program", "package"), [("aplay", "alsa-utils"), ("pw-play", "pipewire-bin")])
async def test_a_missing_program_names_its_package(
    program: Kind, package: str, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match=f"install the Debian package {package}"):
        await speaker(tools, Config(name=NAME, program=program))


async def test_a_program_that_goes_missing_later(tools: Tools, tmp_path: Path) -> None:
    driver = await speaker(tools, Config(name=NAME, program=player(tmp_path, "play")))
    (tmp_path / "aplay").unlink()
    with pytest.raises(Unsupported, match="alsa-utils"):
        await driver.play(SHORT, 80, KEY)
    (tmp_path / "aplay").write_bytes(b"\x7fELF no program")
    (tmp_path / "aplay").chmod(0o700)
    with pytest.raises(Unreachable, match="cannot be started"):
        await driver.play(SHORT, 80, KEY)


@pytest.mark.parametrize("program", ["", "sh", "bin/aplay", "../aplay", "/tmp/aplay", "aplay -D x", "aplay\0"])  # noqa: S108 - refused
def test_no_other_program_can_be_named(program: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="program"):
        msgspec.convert({"name": {"zh": "x"}, "program": program}, Config)


@pytest.mark.parametrize("device", ["file:'|reboot',raw", "a b", "x\n", "/dev/x", "x" * 129, "a\0"])
def test_a_device_that_alsa_would_run_is_refused(device: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": {"zh": "x"}, "device": device}, Config)


@pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is not installed")
async def test_the_real_aplay(tools: Tools) -> None:
    await (await speaker(tools, Config(name=NAME, device="null"))).play(SHORT, 80, KEY)
    with pytest.raises(Unreachable, match="code 1"):
        await (await speaker(tools, Config(name=NAME, device="no_such_device"))).play(SHORT, 80, KEY)


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
