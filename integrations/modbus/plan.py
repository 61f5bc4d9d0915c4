"""Which requests one round needs: neighbours are read together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from integrations.modbus.bus import MOST_BITS, MOST_WORDS, Read
from integrations.modbus.config import WORDS
from integrations.modbus.values import decode

if TYPE_CHECKING:
    from hub.sdk import Entity, Sample
    from integrations.modbus.config import Register


@dataclass(frozen=True, slots=True)
class Sensed:
    """A register of one unit and the entity that it feeds."""

    unit_id: int
    register: Register
    entity: Entity

    @property
    def end(self) -> int:
        """Return the address after its last one."""
        return self.register.address + WORDS[self.register.form]


@dataclass(frozen=True, slots=True)
class Group:
    """What one request reads."""

    read: Read
    sensed: tuple[Sensed, ...] = ()

    def samples(self, numbers: tuple[int, ...]) -> tuple[Sample, ...]:
        """Return what ``numbers``, as many as were asked for, say."""
        at = self.read.address
        return tuple(
            decode(item.register, item.entity.id, numbers[item.register.address - at : item.end - at])
            for item in self.sensed
        )


def groups(sensed: tuple[Sensed, ...], max_gap: int) -> tuple[Group, ...]:
    """Return the requests that read all of ``sensed``, each as large as the protocol and ``max_gap`` allow."""
    found: list[Group] = []
    ordered = sorted(sensed, key=_place)
    for _, bank in groupby(ordered, key=lambda item: _place(item)[:2]):
        pending: list[Sensed] = []
        for item in bank:
            if pending and not _fits(pending, item, max_gap):
                found.append(_group(pending))
                pending = []
            pending.append(item)
        found.append(_group(pending))
    return tuple(found)


def _place(item: Sensed) -> tuple[int, str, int, int]:
    return item.unit_id, item.register.kind, item.register.address, item.end


def _fits(pending: list[Sensed], item: Sensed, max_gap: int) -> bool:
    end = max(other.end for other in pending)
    most = MOST_BITS if item.register.is_bit else MOST_WORDS
    return item.register.address - end <= max_gap and max(end, item.end) - pending[0].register.address <= most


def _group(items: list[Sensed]) -> Group:
    first = items[0]
    count = max(item.end for item in items) - first.register.address
    return Group(Read(first.unit_id, first.register.kind, first.register.address, count), tuple(items))
