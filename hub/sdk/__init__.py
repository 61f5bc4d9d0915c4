"""Everything an integration may import. Nothing else of the hub is public.

A *decoder* turns messages into samples and owns no socket, task, clock or log. A *session* talks to a device: it polls,
subscribes, or is commanded (cameras, loudspeakers, relays, chat robots). Both declare themselves on one ``Plugin``
object named ``plugin``.
"""

from hub.model.errors import BadCredentials, DecodeError, DeviceError, Unreachable, Unsupported
from hub.model.ids import CommandKey, EntityId, entity_id, slug
from hub.model.reading import Alarm, Capability, Contact, Entity, Presence, Quality, Value
from hub.model.text import Text, clean
from hub.model.time import Instant
from hub.sdk import digest, g711, multipart, rtp
from hub.sdk.drivers import (
    Camera,
    Clocked,
    Courier,
    Driver,
    Notice,
    Notifier,
    Parcel,
    Relay,
    Speaker,
    Turnable,
    Watchable,
)
from hub.sdk.firmware import FirmwareImage, FirmwareKeeper, FirmwareUnit, RolloutOrder, RolloutState, Surroundings
from hub.sdk.http import Request, check_address, fetch, with_login
from hub.sdk.media import Clip, Picture
from hub.sdk.message import Announcement, Device, Message, Route, Sample, Uplink, Vitals, json_object, json_value
from hub.sdk.pace import Window
from hub.sdk.plugin import Plugin
from hub.sdk.tools import Connection, Equipment, Newcomer, Push, PushAnswer, Tools

__all__ = [
    "Alarm",
    "Announcement",
    "BadCredentials",
    "Camera",
    "Capability",
    "Clip",
    "Clocked",
    "CommandKey",
    "Connection",
    "Contact",
    "Courier",
    "DecodeError",
    "Device",
    "DeviceError",
    "Driver",
    "Entity",
    "EntityId",
    "Equipment",
    "FirmwareImage",
    "FirmwareKeeper",
    "FirmwareUnit",
    "Instant",
    "Message",
    "Newcomer",
    "Notice",
    "Notifier",
    "Parcel",
    "Picture",
    "Plugin",
    "Presence",
    "Push",
    "PushAnswer",
    "Quality",
    "Relay",
    "Request",
    "RolloutOrder",
    "RolloutState",
    "Route",
    "Sample",
    "Speaker",
    "Surroundings",
    "Text",
    "Tools",
    "Turnable",
    "Unreachable",
    "Unsupported",
    "Uplink",
    "Value",
    "Vitals",
    "Watchable",
    "Window",
    "check_address",
    "clean",
    "digest",
    "entity_id",
    "fetch",
    "g711",
    "json_object",
    "json_value",
    "multipart",
    "rtp",
    "slug",
    "with_login",
]
