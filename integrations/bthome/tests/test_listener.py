"""Repeats, encryption, counters, and entries that can never work."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec
import pytest
import yaml

import integrations.bthome as integration
from hub.sdk import Alarm, Capability, Contact, DecodeError, EntityId, Sample, Text, Unsupported, Vitals
from integrations.bthome.config import Config, Sensor
from integrations.bthome.listener import REPEAT, Listener

ADDRESS = "54:48:E6:8F:80:A5"
DOOR = EntityId("bthome.5448e68f80a5_door")
NAME = Text("地下车库门", "Garage")
#: The example of https://bthome.io/encryption: temperature 25.06 °C and humidity 50.55 %, counter 1122867.
KEY, SEALED = "231d39c1d7cc1ab1aee224cd096db932", bytes.fromhex("41e445f3c9962b332211006c7c4519")
HAS_CRYPTOGRAPHY = importlib.util.find_spec("cryptography") is not None
needs_cryptography = pytest.mark.skipif(not HAS_CRYPTOGRAPHY, reason="the package cryptography is not installed")


def sensor(*sends: str, bindkey: str = "") -> Sensor:
    return Sensor(NAME, sends or ("door",), bindkey)


def test_entities() -> None:
    found = Listener(ADDRESS, Sensor("门", ("door", "temperature_2"), silent_after_s=60)).entities
    door, temperature = found["door"], found["temperature_2"]
    assert (door.id, door.capability, door.unit) == (DOOR, Capability.CONTACT, "")
    assert (temperature.capability, temperature.unit) == (Capability.MEASURE, "°C")
    assert temperature.name == Text("门 温度 2", "门 Temperature 2")
    assert door.expire_after == 60_000_000
    assert Listener(ADDRESS, sensor()).entities["door"].expire_after is None


def test_what_is_said() -> None:
    listener = Listener(ADDRESS, sensor("door", "tamper"))
    said = listener.hear(bytes.fromhex("40 01 61 1a 01 2e 23"), -71, 0)
    assert said == (Sample(DOOR, Contact.OPEN), Vitals("地下车库门", battery=97.0, signal=-71.0))
    tamper = EntityId("bthome.5448e68f80a5_tamper")
    assert listener.hear(b"\x40\x2b\x01", 127, 9) == (Sample(tamper, Alarm.ACTIVE), Vitals("地下车库门"))


def test_a_packet_id_heard_again_is_a_repeat_for_a_while() -> None:
    listener = Listener(ADDRESS, sensor())
    opened, closed = bytes.fromhex("40 00 07 1a 01"), bytes.fromhex("40 00 08 1a 00")
    assert listener.hear(opened, -60, 0)
    assert listener.hear(opened, -60, 0.1) == ()
    assert listener.hear(bytes.fromhex("40 00 07 1a 00"), -60, 0.2) == ()  # the number decides, as the page says
    assert listener.hear(closed, -60, 0.3)
    assert listener.hear(opened, -60, 0.4)
    assert listener.hear(opened, -60, 0.4 + REPEAT)


def test_without_a_packet_id_the_same_bytes_are_a_repeat() -> None:
    listener = Listener(ADDRESS, sensor())
    assert listener.hear(b"\x40\x1a\x01", -60, 0)
    assert listener.hear(b"\x40\x1a\x01", -60, 1) == ()
    assert listener.hear(b"\x40\x1a\x00", -60, 1.5)
    assert listener.hear(b"\x40\x1a\x01", -60, 2)


def test_encrypted_without_a_key_is_refused() -> None:
    with pytest.raises(DecodeError, match="bindkey"):
        Listener(ADDRESS, sensor()).hear(SEALED, -60, 0)


@pytest.mark.skipif(HAS_CRYPTOGRAPHY, reason="the package cryptography is installed")
def test_a_key_without_the_library_is_refused_in_a_clear_sentence() -> None:
    with pytest.raises(Unsupported, match="cryptography is missing") as caught:
        Listener(ADDRESS, sensor(bindkey=KEY))
    assert KEY not in caught.value.reason


@pytest.fixture
def sealed() -> Listener:
    return Listener(ADDRESS, sensor("temperature", "humidity", bindkey=KEY))


@needs_cryptography
def test_the_example_of_the_page_is_opened_once(sealed: Listener) -> None:
    said = sealed.hear(SEALED, -60, 0)
    assert [part.value for part in said[:-1]] == [25.06, 50.55]  # type: ignore[union-attr]
    assert sealed.hear(SEALED, -60, 100) == ()


@needs_cryptography
@pytest.mark.parametrize("at", [1, 6, 7, 10, 11, 14])
def test_a_changed_bit_is_noticed(sealed: Listener, at: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= 0x01
    with pytest.raises(DecodeError, match="key"):
        sealed.hear(bytes(changed), -60, 0)


@needs_cryptography
def test_plain_cut_or_from_another_address_is_refused(sealed: Listener) -> None:
    other = Listener("54:48:E6:8F:80:A6", sensor("temperature", bindkey=KEY))
    for listener, data in ((sealed, b"\x40\x02\xca\x09"), (sealed, SEALED[:9]), (sealed, b"\x41"), (other, SEALED)):
        with pytest.raises(DecodeError):
            listener.hear(data, -60, 0)


@needs_cryptography
def test_a_counter_that_goes_back_is_refused(sealed: Listener) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM  # type: ignore[import-not-found,unused-ignore]

    def seal(counter: int) -> bytes:
        nonce = bytes.fromhex("5448e68f80a5d2fc41") + counter.to_bytes(4, "little")
        text = AESCCM(bytes.fromhex(KEY), tag_length=4).encrypt(nonce, bytes.fromhex("02ca0903bf13"), None)
        return bytes(b"\x41" + text[:-4] + counter.to_bytes(4, "little") + text[-4:])

    assert seal(1_122_867) == SEALED
    assert sealed.hear(seal(5), -60, 0)
    assert sealed.hear(seal(300), -60, 100)
    with pytest.raises(DecodeError, match="counter"):
        sealed.hear(seal(299), -60, 200)


@pytest.mark.parametrize("sends", ["safety", "button", "packet_id", "door_1", "door_22", "_2", "", "temperature__2"])
def test_an_unknown_property_is_refused(sends: str) -> None:
    with pytest.raises(Unsupported, match="no property"):
        Listener(ADDRESS, sensor("door", sends))


@pytest.mark.parametrize(
    "second", [("54:48:e6:8f:80:a5", Sensor("其他", ("door",))), ("54:48:E6:8F:80:A6", Sensor(NAME, ("door",)))]
)
async def test_twice_the_same_is_refused(second: tuple[str, Sensor], tmp_path: Path) -> None:
    config = Config({ADDRESS: sensor(), second[0]: second[1]})
    with pytest.raises(Unsupported):
        await integration.connect("radio", config, None)  # type: ignore[arg-type]  # refused before any tool is used


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"devices": {}},
        {"devices": {"54:48:E6:8F:80": {"name": "x", "sends": ["door"]}}},
        {"devices": {ADDRESS + "\n": {"name": "x", "sends": ["door"]}}},
        {"devices": {ADDRESS: {"name": "x", "sends": []}}},
        {"devices": {ADDRESS: {"name": "x", "sends": ["door"], "bindkey": "abc"}}},
        {"devices": {ADDRESS: {"name": "x", "sends": ["door"]}}, "adapter": "../hci0"},
    ],
)
def test_wrong_entries(values: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, Config)


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text(encoding="utf-8"))
    assert (manifest["domain"], manifest["extra"]) == (integration.plugin.domain, "ble")
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert all(field["zh"] and field["en"] for field in manifest["config"].values())
