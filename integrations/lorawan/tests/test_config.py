"""Which codec a device gets, the topics, the silence after which it is stale, and the manifest."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from hub.sdk import DecodeError
from integrations.lorawan import plugin
from integrations.lorawan.codecs import CODECS
from integrations.lorawan.config import DOMAIN, Config, codec_name, filters
from integrations.lorawan.device import silence

HOUR = 3_600_000_000
EUI = "70b3d52c00019193"


@pytest.mark.parametrize(
    ("config", "codec"),
    [
        (Config(default="nwave_nps310"), "nwave_nps310"),
        (Config(default="nwave_nps310", profiles={"p": "bosch_tps110"}), "bosch_tps110"),
        (Config(profiles={"p": "bosch_tps110"}, devices={"70B3D5": "dragino_lds02"}), "dragino_lds02"),
        (Config(devices={"70b3d5": "dragino_lds02", "70B3D52C00019193": "moko_lw009_sm"}), "moko_lw009_sm"),
        (Config(devices={"70B3D52C00019193": "moko_lw009_sm", "70b3d5": "dragino_lds02"}), "moko_lw009_sm"),
    ],
)
def test_the_nearest_setting_wins(config: Config, codec: str) -> None:
    assert codec_name(config, EUI, "p") == codec


@pytest.mark.parametrize(
    "config", [Config(), Config(profiles={"q": "bosch_tps110"}), Config(devices={"b3d52c": "bosch_tps110"})]
)
def test_a_device_without_codec_is_refused_and_named(config: Config) -> None:
    with pytest.raises(DecodeError, match=f"no codec is set for DevEUI {EUI}, profile 'p'"):
        codec_name(config, EUI, "p")


@pytest.mark.parametrize(
    "wrong",
    [
        {"default": "bosch"},
        {"profiles": {"p": "eval"}},
        {"devices": {EUI: ""}},
        {"devices": {"70b3": "bosch_tps110"}},
        {"devices": {f"{EUI}00": "bosch_tps110"}},
        {"devices": {"70-b3-d5": "bosch_tps110"}},
        {"chirpstack": "a/#"},
        {"chirpstack": "a\n"},
        {"things_stack": "/v3"},
        {"stale_after_h": -1},
        {"stale_after_h": 9000},
        {"codec": "bosch_tps110"},
    ],
)
def test_what_cannot_be_is_refused_when_the_site_is_read(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Config)


def test_topics_of_both_servers_or_one() -> None:
    assert filters(Config()) == ("application/+/device/+/event/up", "v3/+/devices/+/up")
    assert filters(Config(chirpstack="", things_stack="cloud/v3")) == ("cloud/v3/+/devices/+/up",)
    assert filters(Config(chirpstack="site/application", things_stack="")) == ("site/application/+/device/+/event/up",)


def test_a_state_is_stale_after_one_lost_message_and_an_hour_or_as_configured() -> None:
    assert silence(CODECS["bosch_tps110"], 0) == 49 * HOUR
    assert silence(CODECS["milesight_em300_mcs"], 0) == 80 * HOUR // 60
    assert silence(CODECS["bosch_tps110"], 30) == 30 * HOUR


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[1] / "manifest.yaml").read_text(encoding="utf-8"))
    assert manifest["domain"] == plugin.domain == DOMAIN
    assert plugin.uplinks is not None
    assert plugin.uplinks.config is Config
    declared = {name: field["default"] for name, field in manifest["config"].items()}
    assert declared == msgspec.structs.asdict(Config())
    for field in manifest["config"].values():
        assert field.keys() == {"type", "default", "zh", "en"}
        assert field["zh"]
        assert field["en"]
    assert all(("reason" in line) == (line["state"] == "exempt") for line in manifest["quality"])


def test_names_are_in_both_languages() -> None:
    assert all(channel.name.zh and channel.name.en for codec in CODECS.values() for channel in codec.channels)
