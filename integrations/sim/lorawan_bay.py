"""A parking magnetometer (Bosch TPS110) by LoRaWAN, as its network server publishes it.

Wire format: ChirpStack v4 documentation, "Integrations", "Event types", UplinkEvent; the payload of the sensor: Bosch,
"Parking Lot Sensor, Communication Interface": port 1, bit 0 of one byte.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime

from integrations.sim.link import Publication

EUI = "1000000000000008"
APPLICATION = "ca739e26-7b67-4f14-b69e-d568c22a5a75"
TOPIC = f"application/{APPLICATION}/device/{EUI}/event/up"
#: Port of the parking status.
STATUS = 1


class LorawanBay:
    """One sensor in one bay; ``name`` as it was entered in the network server."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.vehicle = False
        self._count = 0

    def uplink(self) -> Publication:
        """Return the state as an event of the network server. Events are not retained."""
        self._count += 1
        event = {
            "deduplicationId": str(uuid.uuid4()),
            "time": datetime.now(UTC).isoformat(),
            "deviceInfo": {
                "tenantName": "ChirpStack",
                "applicationId": APPLICATION,
                "applicationName": "parking",
                "deviceProfileName": "Bosch TPS110",
                "deviceName": self.name,
                "devEui": EUI,
            },
            "devAddr": "20000008",
            "adr": True,
            "dr": 5,
            "fCnt": self._count,
            "fPort": STATUS,
            "confirmed": False,
            "data": base64.b64encode(bytes([self.vehicle])).decode(),
            "rxInfo": [{"gatewayId": "6a7e111a10000000", "uplinkId": self._count, "rssi": -97, "snr": 7.2}],
        }
        return Publication(TOPIC, json.dumps(event, ensure_ascii=False), retain=False)

    def gateway(self, word: str) -> Publication:
        """Return the state of the gateway's connection, as it stands beside the uplinks."""
        return Publication("eu868/gateway/6a7e111a10000000/state/conn", json.dumps({"state": word}))
