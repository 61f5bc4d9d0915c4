"""One reader: its entities, and what becomes of what it says."""

from __future__ import annotations

from hub.sdk import Alarm, Capability, Contact, Entity, Quality, Sample, Text, clean, entity_id
from integrations.osdp.config import DOMAIN, ReaderConfig
from integrations.osdp.events import Card, Inputs, Local, Online, Said

#: Seconds for which a card counts as active after it was read: rules see "opened, and no card within 10 s" by it.
CARD_SECONDS = 2.0


class Reader:
    """Samples of one reader. ``now`` is in seconds on any steady clock."""

    def __init__(self, line: str, key: str, config: ReaderConfig) -> None:
        name = config.name if isinstance(config.name, Text) else Text(zh=config.name)
        device = clean(name.zh)

        def entity(what: str, capability: Capability, words: Text) -> Entity:
            text = Text(clean(f"{name.zh} {words.zh}"), clean(f"{name.en or name.zh} {words.en}"))
            return Entity(entity_id(DOMAIN, f"{line}_{key}_{what}"), capability, text, device)

        self.config = config
        self.online = False
        self._card = entity("card", Capability.ALARM, Text("刷卡", "Card"))
        self._tamper = entity("tamper", Capability.ALARM, Text("防拆", "Tamper"))
        self._power = entity("power_failed", Capability.ALARM, Text("供电故障", "Power failed"))
        self._door = entity("door", Capability.CONTACT, Text("门", "Door"))
        self._card_until: float | None = None

    @property
    def entities(self) -> tuple[Entity, ...]:
        """What the reader brings; a door only where one is wired to it."""
        always = (self._card, self._tamper, self._power)
        return always if self.config.door_input is None else (*always, self._door)

    def hear(self, said: Said, now: float) -> tuple[Sample, ...]:
        """Return what follows from one event."""
        match said:
            case Card():
                self._card_until = now + CARD_SECONDS
                return (Sample(self._card.id, Alarm.ACTIVE),)
            case Local(tamper, power_failed):
                return (Sample(self._tamper.id, _alarm(tamper)), Sample(self._power.id, _alarm(power_failed)))
            case Inputs(active):
                return self._contact(active)
            case Online(now=online):
                self.online, self._card_until = online, None
                if online:
                    return (Sample(self._card.id, Alarm.CLEAR),)
                return tuple(Sample(entity.id, None, Quality.STALE) for entity in self.entities)
            case _:
                return ()

    def tick(self, now: float) -> tuple[Sample, ...]:
        """Let a card go when its time is over."""
        if self._card_until is None or now < self._card_until:
            return ()
        self._card_until = None
        return (Sample(self._card.id, Alarm.CLEAR),)

    def _contact(self, active: tuple[bool, ...]) -> tuple[Sample, ...]:
        number = self.config.door_input
        if number is None:
            return ()
        if number >= len(active):
            return (Sample(self._door.id, None, Quality.UNKNOWN),)  # the reader has no such input
        is_open = active[number] == (self.config.door_active == "open")
        return (Sample(self._door.id, Contact.OPEN if is_open else Contact.CLOSED),)


def _alarm(active: bool) -> Alarm:
    return Alarm.ACTIVE if active else Alarm.CLEAR
