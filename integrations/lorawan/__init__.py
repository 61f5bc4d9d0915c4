"""LoRaWAN sensors behind a network server that publishes on MQTT: ChirpStack v4 or The Things Stack v3.

The network server decrypts; which bytes mean what is up to the model. The codec of each device is configured, by its
DevEUI or by its profile, and the server's own decoding (``object``, ``decoded_payload``) is not used: it is a script
that differs from site to site. What is read and refused: docs/integrations/lorawan.md.
"""

from __future__ import annotations

from hub.sdk import Message, Plugin, Uplink
from integrations.lorawan.codec import Said
from integrations.lorawan.codecs import CODECS
from integrations.lorawan.config import DOMAIN, Config, codec_name, filters
from integrations.lorawan.device import describe, samples
from integrations.lorawan.servers import read_frame

plugin = Plugin(DOMAIN)


@plugin.uplink(Config, filters)
def decode(message: Message, config: Config) -> Uplink:
    """Read one uplink. Raises DecodeError for one that is malformed, of no configured model, or not of that model.

    An empty frame (an answer to the network) says how strong the signal was and nothing else.
    """
    frame = read_frame(message)
    codec = CODECS[codec_name(config, frame.eui, frame.profile)]
    said = codec.read(frame.port, frame.data) if frame.port and frame.data else Said()
    return Uplink(describe(frame, codec, config.stale_after_h), samples(frame, said))
