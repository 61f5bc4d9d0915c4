"""Zigbee2MQTT: the devices of a Zigbee network as its bridge publishes them.

Wire format: Zigbee2MQTT documentation, "MQTT topics and messages", "Exposes" and "Device availability". What is read
and refused: docs/integrations/mqtt.md.

One Route is made for each (entity, topic), so that one broken property does not hide the others of its message. The
bridge's own state is a source of availability of each entity: when the bridge is gone, all its devices are unseen.
"""

from __future__ import annotations

from hub.sdk import Announcement, DecodeError, Device, Message, Plugin, clean
from integrations.zigbee2mqtt.config import DOMAIN, Config, filters
from integrations.zigbee2mqtt.device import describe
from integrations.zigbee2mqtt.wire import read_entries, read_entry

plugin = Plugin(DOMAIN)


@plugin.announcement(Config, filters)
def announce(message: Message, config: Config) -> Announcement:
    """Read the retained list ``<base>/bridge/devices``; an empty payload withdraws all devices.

    An entry that cannot be used is refused in a sentence, the others are used. Raises DecodeError when the payload is
    not a JSON list.
    """
    if not message.payload:
        return Announcement()
    devices: dict[str, Device] = {}
    refused: list[str] = []
    for index, entry in enumerate(read_entries(message.payload)):
        try:
            wired = read_entry(entry)
            if wired.left_out:
                continue
            device, notes = describe(wired, config.base)
            refused += notes
            if device.id in devices:
                refused.append(f"{device.name.zh} has the address of another device")
            elif device.entities:
                devices[device.id] = device
        except DecodeError as error:
            refused.append(f"device {index + 1}: {error.reason}")
    return Announcement(tuple(devices.values()), tuple(clean(sentence, 200) for sentence in refused))
