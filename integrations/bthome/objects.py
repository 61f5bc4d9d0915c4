"""The objects of BTHome v2 (https://bthome.io/format, "Sensor data", "Binary Sensor data", "Events", "Device").

Every object of fixed length is here, also those without a meaning for rules: their length leads to what follows.
Ids 0x60 to 0x64 are not on that page yet; their lengths are those of the format's own library, bthome-ble.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hub.sdk import Alarm, Capability, Contact, Presence, Text, Value


@dataclass(frozen=True, slots=True)
class Object:
    """How one object is read. Integers are little-endian."""

    property: str
    size: int
    """Bytes."""
    capability: Capability | None = None
    """None: its value is not used."""
    signed: bool = False
    factor: Fraction = Fraction(1)
    """An integer times this is the value in ``unit``."""
    unit: str = ""


def _number(name: str, kind: str, factor: str = "1", unit: str = "") -> Object:
    """``kind`` as on the page, for example ``uint16``."""
    size = int(kind.removeprefix("s").removeprefix("u").removeprefix("int")) // 8
    return Object(name, size, Capability.MEASURE, kind.startswith("s"), Fraction(factor), unit)


def _contact(name: str) -> Object:
    return Object(name, 1, Capability.CONTACT)


def _presence(name: str) -> Object:
    return Object(name, 1, Capability.PRESENCE)


def _alarm(name: str) -> Object:
    return Object(name, 1, Capability.ALARM)


#: Number of the advertisement: the same one again is a repeat.
PACKET_ID = 0x00
#: Text and raw bytes: the first byte is the length of what follows.
VARIABLE = frozenset({0x53, 0x54})

OBJECTS: dict[int, Object] = {
    PACKET_ID: Object("packet_id", 1),
    0x01: _number("battery", "uint8", unit="%"),
    0x02: _number("temperature", "sint16", "0.01", "°C"),
    0x03: _number("humidity", "uint16", "0.01", "%"),
    0x04: _number("pressure", "uint24", "0.01", "hPa"),
    0x05: _number("illuminance", "uint24", "0.01", "lx"),
    0x06: _number("mass", "uint16", "0.01", "kg"),
    0x07: _number("mass_lb", "uint16", "0.01", "lb"),
    0x08: _number("dewpoint", "sint16", "0.01", "°C"),
    0x09: _number("count", "uint8"),
    0x0A: _number("energy", "uint24", "0.001", "kWh"),
    0x0B: _number("power", "uint24", "0.01", "W"),
    0x0C: _number("voltage", "uint16", "0.001", "V"),
    0x0D: _number("pm2_5", "uint16", unit="µg/m³"),
    0x0E: _number("pm10", "uint16", unit="µg/m³"),
    0x0F: _alarm("generic"),
    0x10: Object("power_state", 1),  # on is no alarm: a rule on it would speak when all is well
    0x11: _contact("opening"),
    0x12: _number("co2", "uint16", unit="ppm"),
    0x13: _number("tvoc", "uint16", unit="µg/m³"),
    0x14: _number("moisture", "uint16", "0.01", "%"),
    0x15: _alarm("battery_low"),
    0x16: Object("battery_charging", 1),
    0x17: _alarm("carbon_monoxide"),
    0x18: _alarm("cold"),
    0x19: Object("connectivity", 1),
    0x1A: _contact("door"),
    0x1B: _contact("garage_door"),
    0x1C: _alarm("gas"),
    0x1D: _alarm("heat"),
    0x1E: Object("light", 1),
    0x1F: _alarm("unlocked"),
    0x20: _alarm("water_leak"),
    0x21: _presence("motion"),
    0x22: _presence("moving"),
    0x23: _presence("occupancy"),
    0x24: Object("plug", 1),
    0x25: _presence("presence"),
    0x26: _alarm("problem"),
    0x27: Object("running", 1),
    0x28: Object("safety", 1),  # 1 is "safe" on the page and "unsafe" in the library's reader: not to be guessed
    0x29: _alarm("smoke"),
    0x2A: _alarm("sound"),
    0x2B: _alarm("tamper"),
    0x2C: _alarm("vibration"),
    0x2D: _contact("window"),
    0x2E: _number("humidity", "uint8", unit="%"),
    0x2F: _number("moisture", "uint8", unit="%"),
    0x3A: Object("button", 1),  # an event without an end
    0x3C: Object("dimmer", 2),
    0x3D: _number("count", "uint16"),
    0x3E: _number("count", "uint32"),
    0x3F: _number("rotation", "sint16", "0.1", "°"),
    0x40: _number("distance_mm", "uint16", unit="mm"),
    0x41: _number("distance", "uint16", "0.1", "m"),
    0x42: _number("duration", "uint24", "0.001", "s"),
    0x43: _number("current", "uint16", "0.001", "A"),
    0x44: _number("speed", "uint16", "0.01", "m/s"),
    0x45: _number("temperature", "sint16", "0.1", "°C"),
    0x46: _number("uv_index", "uint8", "0.1"),
    0x47: _number("volume", "uint16", "0.1", "L"),
    0x48: _number("volume_ml", "uint16", unit="mL"),
    0x49: _number("flow", "uint16", "0.001", "m³/h"),
    0x4A: _number("voltage", "uint16", "0.1", "V"),
    0x4B: _number("gas_volume", "uint24", "0.001", "m³"),
    0x4C: _number("gas_volume", "uint32", "0.001", "m³"),
    0x4D: _number("energy", "uint32", "0.001", "kWh"),
    0x4E: _number("volume", "uint32", "0.001", "L"),
    0x4F: _number("water", "uint32", "0.001", "L"),
    0x50: Object("timestamp", 4),
    0x51: _number("acceleration", "uint16", "0.001", "m/s²"),
    0x52: _number("gyroscope", "uint16", "0.001", "°/s"),
    0x55: _number("volume_stored", "uint32", "0.001", "L"),
    0x56: _number("conductivity", "uint16", unit="µS/cm"),
    0x57: _number("temperature", "sint8", unit="°C"),
    0x58: _number("temperature", "sint8", "0.35", "°C"),
    0x59: _number("count", "sint8"),
    0x5A: _number("count", "sint16"),
    0x5B: _number("count", "sint32"),
    0x5C: _number("power", "sint32", "0.01", "W"),
    0x5D: _number("current", "sint16", "0.001", "A"),
    0x5E: _number("direction", "uint16", "0.01", "°"),
    0x5F: Object("precipitation", 2),  # factor 1 on the page, 0.1 in the library
    0x60: Object("channel", 1),
    0x61: Object("rotational_speed", 2),
    0x62: Object("speed_signed", 4),
    0x63: Object("acceleration_signed", 4),
    0x64: Object("light_level", 1),
    0xF0: Object("device_type", 2),
    0xF1: Object("firmware", 4),
    0xF2: Object("firmware_short", 3),
}

#: The value of a binary object that is 0 and of one that is 1.
STATES: dict[Capability, tuple[Value, Value]] = {
    Capability.CONTACT: (Contact.CLOSED, Contact.OPEN),
    Capability.PRESENCE: (Presence.ABSENT, Presence.PRESENT),
    Capability.ALARM: (Alarm.CLEAR, Alarm.ACTIVE),
}

#: Each property that can be an entity: capability and unit are the same for all objects that carry it.
PROPERTIES: dict[str, Object] = {item.property: item for item in OBJECTS.values() if item.capability is not None}

NAMES: dict[str, Text] = {
    "acceleration": Text("加速度", "Acceleration"),
    "battery": Text("电量", "Battery"),
    "battery_low": Text("电量低", "Battery low"),
    "carbon_monoxide": Text("一氧化碳", "Carbon monoxide"),
    "co2": Text("二氧化碳", "Carbon dioxide"),
    "cold": Text("低温", "Cold"),
    "conductivity": Text("电导率", "Conductivity"),
    "count": Text("计数", "Count"),
    "current": Text("电流", "Current"),
    "dewpoint": Text("露点", "Dew point"),
    "direction": Text("方向", "Direction"),
    "distance": Text("距离", "Distance"),
    "distance_mm": Text("距离", "Distance"),
    "door": Text("门", "Door"),
    "duration": Text("时长", "Duration"),
    "energy": Text("电能", "Energy"),
    "flow": Text("流量", "Flow"),
    "garage_door": Text("车库门", "Garage door"),
    "gas": Text("燃气", "Gas"),
    "gas_volume": Text("燃气用量", "Gas used"),
    "generic": Text("开关量", "Generic"),
    "gyroscope": Text("角速度", "Gyroscope"),
    "heat": Text("高温", "Heat"),
    "humidity": Text("湿度", "Humidity"),
    "illuminance": Text("照度", "Illuminance"),
    "mass": Text("重量", "Mass"),
    "mass_lb": Text("重量", "Mass"),
    "moisture": Text("含水量", "Moisture"),
    "motion": Text("有人移动", "Motion"),
    "moving": Text("移动", "Moving"),
    "occupancy": Text("有人", "Occupancy"),
    "opening": Text("开合", "Opening"),
    "pm10": Text("PM10", "PM10"),
    "pm2_5": Text("PM2.5", "PM2.5"),
    "power": Text("功率", "Power"),
    "presence": Text("存在", "Presence"),
    "pressure": Text("气压", "Pressure"),
    "problem": Text("故障", "Problem"),
    "rotation": Text("角度", "Rotation"),
    "smoke": Text("烟雾", "Smoke"),
    "sound": Text("声音", "Sound"),
    "speed": Text("速度", "Speed"),
    "tamper": Text("防拆", "Tamper"),
    "temperature": Text("温度", "Temperature"),
    "tvoc": Text("有机挥发物", "Volatile organics"),
    "unlocked": Text("未上锁", "Unlocked"),
    "uv_index": Text("紫外线指数", "UV index"),
    "vibration": Text("振动", "Vibration"),
    "voltage": Text("电压", "Voltage"),
    "volume": Text("容积", "Volume"),
    "volume_ml": Text("容积", "Volume"),
    "volume_stored": Text("存量", "Volume stored"),
    "water": Text("用水量", "Water used"),
    "water_leak": Text("漏水", "Water leak"),
    "window": Text("窗", "Window"),
}
