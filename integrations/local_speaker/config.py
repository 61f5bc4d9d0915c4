"""What a site enters for one sound card."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text

DOMAIN = "local_speaker"

Kind = Literal["aplay", "pw-play"]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which program plays, and on what."""

    name: Text
    program: Kind = "aplay"
    """``aplay`` (ALSA) or ``pw-play`` (PipeWire), as the hub's own PATH has it: who writes hub.yaml names no file."""
    device: Annotated[str, msgspec.Meta(pattern=r"\A[\w.,:=@+-]{0,128}\Z")] = ""
    """ALSA device or PipeWire node; empty for the system's own choice.

    Quotes, slashes and bars stay out: alsa-lib reads ``file:'|command'`` as a command to be run.
    """
    grace_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 5.0
    """Seconds that the program may need over the length of the clip."""
