"""Reads the properties of objects, together where the device can do that, else one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hub.sdk import Unreachable, Unsupported
from integrations.bacnet.answers import DEVICE, Done, Reading, Refusal, Target, Values
from integrations.bacnet.link import Link
from integrations.bacnet.wire import read_multiple, read_property, subscribe

_OBJECT_IDENTIFIER = 75


class Reader:
    """One device."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._one_by_one: set[Target] = set()
        """Objects whose properties the device did not tell together: it cannot, or it would have been too long."""

    async def check(self, instance: int) -> None:
        """Make sure that the device is the one that is meant. Raises DeviceError."""
        target = Target(DEVICE, instance)
        said = await self._one(target, _OBJECT_IDENTIFIER)
        if isinstance(said, Refusal):
            raise said.as_error(f"Device object {instance}")
        if said != (DEVICE << 22 | instance,):  # type and instance in 32 bits, 20.2.14
            raise Unsupported(f"the device does not say that it is device {instance}")

    async def read(self, target: Target, props: tuple[int, ...]) -> Mapping[int, Values | Refusal]:
        """Return what the device says to each of ``props``; one it leaves out is missing. Raises Unreachable."""
        if target not in self._one_by_one:
            said = await self._link.ask(partial(read_multiple, target=target, props=props))
            if isinstance(said, Reading):
                return _of(target, said)
            if isinstance(said, Refusal) and said.no_such_object:
                return dict.fromkeys(props, said)
            self._one_by_one.add(target)
        return {prop: await self._one(target, prop) for prop in props}

    async def subscribe(self, target: Target, seconds: int) -> bool:
        """Ask for a notice of each change, for so many seconds; False where the device will not. Raises Unreachable."""
        return isinstance(await self._link.ask(partial(subscribe, target=target, seconds=seconds)), Done)

    async def _one(self, target: Target, prop: int) -> Values | Refusal:
        said = await self._link.ask(partial(read_property, target=target, prop=prop))
        if isinstance(said, Refusal):
            return said
        properties = _of(target, said)
        if prop not in properties:
            raise Unreachable("the device answers with another property than asked for")
        return properties[prop]


def _of(target: Target, said: Reading | Done) -> Mapping[int, Values | Refusal]:
    if isinstance(said, Done):
        raise Unreachable("the device answers a question with no answer")
    if said.target != target:
        raise Unreachable("the device answers with another object than asked for")
    return said.properties
