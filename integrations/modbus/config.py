"""What a site enters for one bus, and what a register map holds."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "modbus"

Kind = Literal["coil", "discrete", "holding", "input"]
#: Stable identifier of a point within its bus; it becomes part of the entity id.
Key = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,31}\Z")]
#: Address as it is sent, counted from 0: the vendor's "40001" is holding register 0.
Address = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
#: Unit (slave) that is asked. 0 is the broadcast, to which nobody answers (Modbus over Serial Line 1.02, 2.2).
UnitId = Annotated[int, msgspec.Meta(ge=1, le=255)]
Name = Text | str

#: 16-bit registers that a value takes; the most significant word comes first unless ``swap`` says otherwise.
WORDS = {"bit": 1, "u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2}


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value of a unit: where it stands, how it is written there, and what it means."""

    key: Key
    name: Name
    kind: Kind
    address: Address
    type: Literal["bit", "u16", "i16", "u32", "i32", "f32"] | None = None
    """None is ``bit`` for coils and discrete inputs, ``u16`` for registers."""
    bit: Annotated[int, msgspec.Meta(ge=0, le=15)] | None = None
    """Which bit of a register, 0 the least significant."""
    swap: bool = False
    """The least significant word comes first."""
    meaning: Literal["contact", "presence", "alarm", "number"]
    inverted: bool = False
    """0 is open, present or active."""
    active: tuple[int, ...] = ()
    """Raw numbers that are open, present or active; without them every number but 0 is."""
    invalid: tuple[int, ...] = ()
    """Raw numbers by which the device says that it does not know."""
    scale: float = 1.0
    offset: float = 0.0
    """A number is raw × ``scale`` + ``offset``."""
    unit: Annotated[str, msgspec.Meta(max_length=16)] = ""
    """Unit of a number, for example ``°C``."""

    @property
    def form(self) -> str:
        """Return the type with its default in place."""
        return self.type or ("bit" if self.is_bit or self.bit is not None else "u16")

    @property
    def is_bit(self) -> bool:
        """Tell whether it is read as bits, not as registers."""
        return self.kind in {"coil", "discrete"}

    def __post_init__(self) -> None:
        """Refuse (ValueError) what fits together nowhere."""
        if self.is_bit and (self.form != "bit" or self.bit is not None):
            raise ValueError(f"point `{self.key}`: a {self.kind} is one bit; leave out `type` and `bit`")
        if not self.is_bit and (self.form == "bit") != (self.bit is not None):
            raise ValueError(f"point `{self.key}`: `type: bit` and the number of the bit go together")
        if self.address + WORDS[self.form] > 0x1_0000:
            raise ValueError(f"point `{self.key}` reaches beyond the last register")
        if self.scale == 0:
            raise ValueError(f"point `{self.key}`: a scale of 0 leaves nothing")
        if self.meaning == "number" and (self.inverted or self.active):
            raise ValueError(f"point `{self.key}`: a number has neither `inverted` nor `active`")


class Point(Register, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A register of a named unit."""

    unit_id: UnitId


class RegisterMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data file of one kind of device."""

    name: Text
    points: Annotated[tuple[Register, ...], msgspec.Meta(min_length=1, max_length=200)]


class MapUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A unit whose registers stand in a data file."""

    map: Key
    """Name of the file in ``modbus_maps/`` of the site or in the integration's ``maps/``, without ``.yaml``."""
    key: Key
    """Stands before the keys of the map."""
    name: Name
    unit_id: UnitId
    base: Address = 0
    """Added to every address, for gateways that lay out several lifts in one unit."""


class RelayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One output that is held for a time, such as the contact parallel to a lift's door-open button."""

    key: Key
    name: Name
    unit_id: UnitId
    coil: Address
    max_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 60.0
    """Longest time in seconds that it is held without a break."""
    pulse_register: Address | None = None
    """Where the board takes a time in units of 0.1 s, after which it lets go by itself."""
    pulse_by: Literal["flash_coil", "flash_pair", "time_register"] = "flash_coil"
    """How it takes the time; ``relay.py`` has the messages."""
    accept_no_watchdog: bool = False
    """Accept that a relay without ``pulse_register`` stays closed when the hub or the line dies while it is held."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bus: a TCP gateway or a serial line, with its units."""

    name: Text
    url: str
    """``tcp://host:502``, ``rtu+tcp://host:port`` or ``serial:///dev/ttyUSB0?baudrate=9600&parity=N&stopbits=1``."""
    points: Annotated[tuple[Point, ...], msgspec.Meta(max_length=500)] = ()
    maps: Annotated[tuple[MapUse, ...], msgspec.Meta(max_length=64)] = ()
    relays: Annotated[tuple[RelayConfig, ...], msgspec.Meta(max_length=64)] = ()
    poll_ms: Annotated[int, msgspec.Meta(ge=50, le=60_000)] = 1_000
    """Milliseconds from the start of one round to that of the next."""
    timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=5_000)] = 1_000
    """Milliseconds for one answer, whole."""
    max_gap: Annotated[int, msgspec.Meta(ge=0, le=32)] = 0
    """Unused addresses that one request may read over; 0 where the device refuses addresses that it has not."""
