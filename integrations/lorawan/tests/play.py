"""The configuration of the recordings, and an outcome written as their lines write it."""

from __future__ import annotations

from typing import Any

from hub.sdk import DecodeError, Message, Sample, Uplink, Vitals
from integrations.lorawan import decode
from integrations.lorawan.config import Config

CONFIG = Config(
    devices={
        "100000000000000": "dingtek_do201",
        "1000000000000001": "bosch_tps110",
        "A84041": "dragino_lds02",
    },
    profiles={"Milesight": "milesight_em300_mcs", "MOKO": "moko_lw009_sm", "nwave/nps405sm": "nwave_nps405"},
)


def outcome(message: Message, config: Config) -> dict[str, Any]:
    """Return what ``decode`` makes of one message; a key is absent where there is nothing."""
    try:
        uplink = decode(message, config)
    except DecodeError as error:
        return {"error": error.reason}
    assert decode(message, config) == uplink, "not a pure function"
    return describe(uplink)


def describe(uplink: Uplink) -> dict[str, Any]:
    """Write an uplink as a recording does."""
    samples = [said for said in uplink.said if isinstance(said, Sample)]
    (vitals,) = [said for said in uplink.said if isinstance(said, Vitals)]
    (device,) = {vitals.device, uplink.device.name.zh, *(entity.device for entity in uplink.device.entities)}
    rows = sorted([sample.entity, sample.value, sample.quality.value] for sample in samples)
    found: dict[str, Any] = {
        "device": device,
        "entities": sorted(entity.id for entity in uplink.device.entities),
        "samples": rows,
    }
    for at in {sample.device_at for sample in samples}:
        found |= {"at": at}
    found |= {"signal": vitals.signal, "battery": vitals.battery}
    return {key: value for key, value in found.items() if value is not None}
