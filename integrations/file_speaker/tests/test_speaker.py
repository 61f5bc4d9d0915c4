"""The files that are written, and those that are not."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import yaml

import integrations.file_speaker as integration
from hub.sdk import Capability, Clip, CommandKey, Speaker, Text, Tools, Unreachable, Unsupported
from integrations.file_speaker.config import Config

NAME = Text(zh="试用音箱")
CLIP = Clip(pcm=bytes(range(256)) * 10)


def key(number: int) -> CommandKey:
    return CommandKey(f"{number:032x}")


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path / "data")


async def speaker(tools: Tools, config: Config) -> Speaker:
    (equipment,) = await integration.connect("Gate 1", config, tools)
    assert (equipment.entity.id, equipment.entity.capability) == ("file_speaker.gate_1", Capability.SPEAKER)
    assert isinstance(equipment.driver, Speaker)
    return equipment.driver


def names(tools: Tools) -> list[str]:
    return sorted(str(path.relative_to(tools.data)) for path in tools.data.rglob("*") if path.is_file())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_each_utterance_is_one_file(tools: Tools) -> None:
    driver = await speaker(tools, Config(name=NAME, path="gate/said"))
    assert names(tools) == []
    await driver.play(CLIP, 80, key(1))
    await driver.play(CLIP, 80, key(1))  # the repeat after a crash
    await driver.play(CLIP, 80, key(2))
    assert names(tools) == [f"gate/said/{key(1)}.wav", f"gate/said/{key(2)}.wav"]
    written = tools.data / "gate/said" / f"{key(1)}.wav"
    assert Clip.from_wav(written.read_bytes()) == CLIP
    assert mode(written) == 0o600


async def test_only_the_newest_are_kept(tools: Tools) -> None:
    driver = await speaker(tools, Config(name=NAME, keep=2))
    for number in range(4):
        await driver.play(CLIP, 80, key(number))
        os.utime(tools.data / "said" / f"{key(number)}.wav", (number, number))
    assert names(tools) == [f"said/{key(2)}.wav", f"said/{key(3)}.wav"]


async def test_null_keeps_nothing(tools: Tools) -> None:
    await (await speaker(tools, Config(name=NAME, sink="null"))).play(CLIP, 80, key(1))
    assert names(tools) == []


@pytest.mark.parametrize("path", ["", "..", "../said", "/tmp/said", "a/../../b", "link/said", "a\0b"])  # noqa: S108
async def test_the_folder_cannot_be_left(path: str, tools: Tools) -> None:
    tools.data.mkdir()
    (tools.data / "link").symlink_to(tools.site)
    with pytest.raises(Unsupported):
        await integration.connect("gate", Config(name=NAME, path=path), tools)


async def test_a_key_that_is_a_path_is_refused(tools: Tools) -> None:
    driver = await speaker(tools, Config(name=NAME))
    for bad in ("../../owned", "", "F" * 32, key(1) + "\n"):
        with pytest.raises(Unsupported):
            await driver.play(CLIP, 80, CommandKey(bad))
    assert names(tools) == []


async def test_the_disk_refuses(tools: Tools) -> None:
    tools.data.mkdir()
    (tools.data / "said").write_text("a file where the folder should be")
    with pytest.raises(Unreachable, match="cannot write"):
        await (await speaker(tools, Config(name=NAME))).play(CLIP, 80, key(1))


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
