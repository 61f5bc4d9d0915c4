"""A camera that turns to its presets (ONVIF PTZ Service Specification, sections 5.3.3, 5.4 and 5.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.sax.saxutils import escape

from hub.sdk import Unreachable, Unsupported, clean
from integrations.onvif.camera import OnvifCamera
from integrations.onvif.client import Answer, Ask
from integrations.onvif.media import PTZ
from integrations.onvif.soap import question
from integrations.onvif.tree import Element, attribute, children, text

#: Most presets that are read, and named in a refusal; longest name in characters (a tt:Name has 64).
_MOST, _NAMED, _NAME = 512, 20, 64
#: Seconds between two questions whether it stands, and longest turn: half a circle at 4° a second.
_POLL, _LONGEST = 0.25, 45.0


class TurningCamera(OnvifCamera):
    """``OnvifCamera`` with a PTZ service."""

    async def go_to(self, preset: str) -> None:
        """Turn to a preset, by its name or else its token, and return once it stands. Raises DeviceError."""
        known = await self._ask("GetPresets", "", read_presets)
        token = next((token for token, name in known if name == preset), None)
        if token is None:
            token = next((token for token, _ in known if token == preset), None)
        if token is None:
            there = ", ".join(clean(name, _NAME) for _, name in known[:_NAMED]) or "none"
            raise Unsupported(f"the camera has no preset `{clean(preset, _NAME)}`; it has: {there}")
        await self._ask("GotoPreset", f"<q:PresetToken>{escape(token)}</q:PresetToken>", lambda _: None)
        await self._stands()

    async def go_home(self) -> None:
        """Turn to the home position. Raises DeviceError."""
        await self._ask("GotoHomePosition", "", lambda _: None)

    async def _stands(self) -> None:
        """Wait until it stands and is sharp. Some say that they stand before they have begun: twice counts."""
        clock = asyncio.get_running_loop().time
        end, still = clock() + _LONGEST, 0
        while still < 2:
            await asyncio.sleep(_POLL)
            try:
                moves = await self._ask("GetStatus", "", read_status)
            except Unsupported:
                moves = None
            if moves is None:
                await asyncio.sleep(self.config.turn_s)
                break
            still = 0 if moves else still + 1
            if clock() > end:
                raise Unreachable(f"the camera still turns after {_LONGEST:.0f} s")
        await asyncio.sleep(self.config.settle_s)

    async def _ask(self, name: str, inner: str, reader: Callable[[Element], Answer]) -> Answer:
        body = question(name, PTZ, f"<q:ProfileToken>{escape(self.profile.token)}</q:ProfileToken>{inner}")
        return await self.client.call(Ask(self.services[PTZ], f"{PTZ}/{name}", body), reader)


def read_presets(answer: Element) -> tuple[tuple[str, str], ...]:
    """Read token and name of each preset of a GetPresetsResponse; one without a name is called by its token."""
    listed = list(children(answer, "Preset"))[:_MOST]
    tokens = ((attribute(each, "token"), text(each, "Name", limit=_NAME)) for each in listed)
    return tuple((token, name or token) for token, name in tokens if token)


def read_status(answer: Element) -> bool | None:
    """Read whether it moves from a GetStatusResponse; None where the camera does not say."""
    said = {text(answer, "PTZStatus", "MoveStatus", part, limit=16) for part in ("PanTilt", "Zoom")} - {""}
    if "MOVING" in said:
        return True
    return False if said == {"IDLE"} else None
