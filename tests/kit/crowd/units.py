"""Which devices there are: the same number of each integration, taking turns."""

from __future__ import annotations

from dataclasses import dataclass

#: Spoken to over TCP, each with a session of its own.
WIRED = ("panel_access", "panel_lift", "panel_gate", "panel_pump", "panel_fire")
#: The same plugin in processes of its own: so many of them, with the units shared out.
ISOLATED, PROCESSES = "panel_apart", 2
PUSHING = "panel_push"
ZIGBEE, DISCOVERY, LORAWAN = "zigbee2mqtt", "mqtt_discovery", "lorawan"
DOMAINS = (ZIGBEE, DISCOVERY, LORAWAN, *WIRED, ISOLATED, PUSHING)


@dataclass(frozen=True, slots=True)
class Unit:
    """One device with one number to say."""

    number: int

    @property
    def domain(self) -> str:
        """Its integration."""
        return DOMAINS[self.number % len(DOMAINS)]

    @property
    def place(self) -> int:
        """Its number among those of its integration."""
        return self.number // len(DOMAINS)

    @property
    def zone(self) -> str:
        """Its zone, which it shares with one device of each other integration."""
        return f"gate_{self.place}"

    @property
    def eui(self) -> str:
        """Its address in a radio network: 16 hexadecimal digits."""
        return f"{0x24E1_2400_0000_0000 + self.number:016x}"

    @property
    def panel(self) -> tuple[str, int]:
        """The configured device that it belongs to, and its number there."""
        if self.domain == ISOLATED:
            return f"panel_{self.place % PROCESSES}", self.place // PROCESSES
        return f"panel_{self.place}", 0

    @property
    def entity(self) -> str:
        """Its entity id."""
        name, unit = self.panel
        tail = {
            ZIGBEE: f"0x{self.eui}_temperature",
            DISCOVERY: f"unit_{self.number}",
            LORAWAN: f"{self.eui}_temperature",
            PUSHING: name,
        }
        return f"{self.domain}.{tail.get(self.domain, f'{name}_{unit}')}"


def crowd(count: int) -> tuple[Unit, ...]:
    """Return ``count`` devices, a multiple of the number of integrations."""
    assert count % len(DOMAINS) == 0, f"{len(DOMAINS)} integrations share {count} devices"
    return tuple(Unit(number) for number in range(count))


def value(turn: int) -> float:
    """Return what a device says in its ``turn``: never the same twice, and a temperature that LoRaWAN can carry."""
    assert turn < 2**15, "a LoRaWAN temperature is two bytes"
    return turn / 10
