"""One sensor as it was heard so far: which entities it has, what is a repeat, what is not from it."""

from __future__ import annotations

from hub.sdk import DecodeError, Entity, Sample, Text, Unsupported, Vitals, clean, entity_id
from integrations.bthome.cipher import Cipher
from integrations.bthome.config import DOMAIN, Sensor
from integrations.bthome.decode import decode, is_encrypted
from integrations.bthome.objects import NAMES, PROPERTIES

#: Seconds within which the same packet id, or without one the same bytes, are the same advertisement heard again. After
#: it they are news: a sensor that sleeps deeply may begin with the same id each time, and silence must not pass for it.
REPEAT = 4.0
#: Strengths a receiver can report, in dBm; 127 is "not available" (Bluetooth Core 5.4, volume 4, part E, 7.7.65.2).
_SIGNALS = range(-127, 21)


class Listener:
    """Turns the advertisements of one sensor into samples. Raises Unsupported for an entry that can never work."""

    def __init__(self, address: str, sensor: Sensor) -> None:
        name = sensor.name if isinstance(sensor.name, Text) else Text(zh=sensor.name)
        self.device = clean(name.zh)
        self._cipher = Cipher(address, bytes.fromhex(sensor.bindkey)) if sensor.bindkey else None
        self.entities = {key: _entity(address, name, key, sensor.silent_after_s) for key in sensor.sends}
        self._last: int | bytes = b""
        self._last_at = -REPEAT
        self._counter = -1

    def hear(self, data: bytes, signal: int, now: float) -> tuple[Sample | Vitals, ...]:
        """Read one advertisement that arrived at ``now`` (seconds) with ``signal`` (dBm); a repeat says nothing.

        Raises DecodeError for what is no BTHome, and for what this sensor did not send now.
        """
        plain = self._opened(data)
        if plain is None:
            return ()
        heard = decode(plain)
        mark = data if heard.packet is None else heard.packet
        if mark == self._last and now - self._last_at < REPEAT:
            return ()
        self._last, self._last_at = mark, now
        values = dict(heard.values)
        said = tuple(Sample(entity.id, values[key]) for key, entity in self.entities.items() if key in values)
        battery = values.get("battery")
        vitals = Vitals(
            self.device,
            battery=battery if isinstance(battery, float) else None,
            signal=float(signal) if signal in _SIGNALS else None,
        )
        return (*said, vitals)

    def _opened(self, data: bytes) -> bytes | None:
        """Return the plain objects, None for an encrypted message heard again. Raises DecodeError."""
        encrypted = is_encrypted(data)
        if self._cipher is None:
            if encrypted:
                raise DecodeError("it is encrypted: enter its bindkey")
            return data[1:]
        if not encrypted:
            raise DecodeError("it has a key, but this was sent without encryption, by it or by somebody else")
        counter, plain = self._cipher.open(data)
        if counter < self._counter:
            raise DecodeError("its counter went back: a recording is played, or its battery was changed")
        if counter == self._counter:
            return None
        self._counter = counter
        return plain


def _entity(address: str, name: Text, key: str, silent_after: int) -> Entity:
    kind, number = (key, "") if key in PROPERTIES else _numbered(key)
    known = PROPERTIES.get(kind)
    if known is None or known.capability is None:
        raise Unsupported(f"{address}: no property `{clean(key, 40)}`; possible are {', '.join(sorted(PROPERTIES))}")
    words = NAMES[kind]
    return Entity(
        id=entity_id(DOMAIN, f"{address.replace(':', '')}_{key}"),
        capability=known.capability,
        name=Text(clean(f"{name.zh} {words.zh} {number}"), clean(f"{name.en or name.zh} {words.en} {number}")),
        device=clean(name.zh),
        unit=known.unit,
        expire_after=silent_after * 1_000_000 or None,
    )


def _numbered(key: str) -> tuple[str, str]:
    """Split ``temperature_2``; a name of another form belongs to no property."""
    kind, _, number = key.rpartition("_")
    return (kind, number) if len(number) == 1 and number in "23456789" else ("", "")
