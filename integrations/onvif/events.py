"""One PullPoint subscription (ONVIF Core Specification, section 9; OASIS WS-BaseNotification 1.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from hub.sdk import DecodeError, DeviceError, Unsupported
from integrations.onvif.address import follow
from integrations.onvif.client import Answer, Ask, Client
from integrations.onvif.kinds import KINDS, Kind, offered
from integrations.onvif.media import EVENTS
from integrations.onvif.moment import lifetime, parse_time
from integrations.onvif.notification import Event, events
from integrations.onvif.soap import ADDRESSING, question
from integrations.onvif.tree import Element, find, local, text

BASE_NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
#: Seconds for which we ask a subscription to live, and the longest that one answer may wait.
LIVES, WAIT = 60.0, 5.0
#: Seconds for taking leave of the camera; the hub allows 5 for closing.
_LEAVE = 2.0
#: Most bytes of a subscription's own reference parameters that are sent back.
_MAX_REFERENCE = 2048
_PORT = f"{EVENTS}/EventPortType"
_PULL = f"{EVENTS}/PullPointSubscription/PullMessagesRequest"
_MANAGER = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"
_MARK = f"{{{ADDRESSING}}}IsReferenceParameter"


@dataclass(frozen=True, slots=True)
class Granted:
    """What the camera answers to a subscription."""

    address: str
    reference: tuple[str, ...]
    """XML to be sent back with each request."""
    since: datetime | None
    lives: float | None
    """Seconds."""


class PullPoint:
    """A subscription on the camera: open it, pull and keep it in turns, close it."""

    def __init__(self, client: Client, service: str) -> None:
        self._client = client
        self._service = service
        self._address = ""
        self._reference: tuple[str, ...] = ()
        self._lives = LIVES
        self._ends = 0.0
        self.since: datetime | None = None
        """When it was made, by the camera's clock."""

    async def open(self) -> None:
        """Subscribe to everything. Raises DeviceError."""
        if not self._service:
            raise Unsupported("the camera names no event service")
        inner = f"<q:InitialTerminationTime>PT{LIVES:.0f}S</q:InitialTerminationTime>"
        asked = question("CreatePullPointSubscription", EVENTS, inner)
        granted = await self._ask(f"{_PORT}/CreatePullPointSubscriptionRequest", asked, read_granted)
        self._address = follow(granted.address, self._client.base)
        self._reference = granted.reference
        self.since = granted.since
        self._granted(granted.lives)

    async def kinds(self) -> tuple[Kind, ...]:
        """Return what the camera says it detects; everything where it does not say. Raises DeviceError."""
        asked = question("GetEventProperties", EVENTS)
        try:
            return await self._ask(f"{_PORT}/GetEventPropertiesRequest", asked, offered) or KINDS
        except Unsupported:
            return KINDS

    async def pull(self, wait_s: float) -> tuple[Event, ...]:
        """Return the next messages, none after ``wait_s`` seconds (rounded to whole ones). Raises DeviceError."""
        wait = max(1, round(min(wait_s, WAIT, self._lives / 2)))
        inner = f"<q:Timeout>PT{wait}S</q:Timeout><q:MessageLimit>64</q:MessageLimit>"
        told, left = await self._tell(_PULL, question("PullMessages", EVENTS, inner), read_pulled, wait)
        if left is not None:  # some cameras prolong the subscription with each answer
            self._ends = asyncio.get_running_loop().time() + left
        return told

    async def keep(self) -> bool:
        """Renew the subscription when half of its time is over; tell whether it had to be made anew.

        Raises DeviceError.
        """
        if self._ends - asyncio.get_running_loop().time() > self._lives / 2:
            return False
        inner = f"<q:TerminationTime>PT{LIVES:.0f}S</q:TerminationTime>"
        try:
            lives = await self._tell(f"{_MANAGER}/RenewRequest", question("Renew", BASE_NOTIFICATION, inner), lifetime)
        except Unsupported:
            await self.close()  # a camera without Renew: the new subscription tells the state of everything again
            await self.open()
            return True
        self._granted(lives)
        return False

    async def close(self) -> None:
        """Unsubscribe, as cameras have room for few; without an answer the subscription ends by itself."""
        if not self._address:
            return
        asked = question("Unsubscribe", BASE_NOTIFICATION)
        with suppress(DeviceError, TimeoutError):
            async with asyncio.timeout(_LEAVE):
                await self._tell(f"{_MANAGER}/UnsubscribeRequest", asked, local)
        self._address = ""

    async def _ask(self, action: str, body: str, reader: Callable[[Element], Answer]) -> Answer:
        return await self._client.call(Ask(self._service, action, body, _addressing(self._service, action)), reader)

    async def _tell(self, action: str, body: str, reader: Callable[[Element], Answer], wait_s: float = 0.0) -> Answer:
        """Ask the subscription itself."""
        headers = (*_addressing(self._address, action), *self._reference)
        return await self._client.call(Ask(self._address, action, body, headers, wait_s), reader)

    def _granted(self, lives: float | None) -> None:
        """Keep for how many seconds the camera lets the subscription live; LIVES where it does not say."""
        self._lives = lives or LIVES
        self._ends = asyncio.get_running_loop().time() + self._lives


def read_granted(answer: Element) -> Granted:
    """Read a CreatePullPointSubscriptionResponse. Raises DecodeError."""
    reference = find(answer, "SubscriptionReference")
    return Granted(
        text(reference, "Address"),
        _parameters(find(reference, "ReferenceParameters")),
        parse_time(text(answer, "CurrentTime")),
        lifetime(answer),
    )


def read_pulled(answer: Element) -> tuple[tuple[Event, ...], float | None]:
    """Read a PullMessagesResponse: what is told, and the seconds that are left. Raises DecodeError."""
    return events(answer), lifetime(answer)


def _addressing(address: str, action: str) -> tuple[str, ...]:
    """Return WS-Addressing 1.0 headers, by which some cameras find the subscription; others may overlook them."""
    named = (("Action", action), ("MessageID", f"urn:uuid:{uuid4()}"), ("To", address))
    return tuple(f'<a:{name} xmlns:a="{ADDRESSING}">{escape(value)}</a:{name}>' for name, value in named)


def _parameters(element: Element | None) -> tuple[str, ...]:
    """Return what the camera wants to see again in each header (WS-Addressing 1.0 SOAP binding, section 3.4)."""
    written = []
    for parameter in () if element is None else element:
        parameter.set(_MARK, "true")
        written.append(ElementTree.tostring(parameter, encoding="unicode"))
    if sum(len(each) for each in written) > _MAX_REFERENCE:
        raise DecodeError(f"reference parameters of more than {_MAX_REFERENCE} characters")
    return tuple(written)
