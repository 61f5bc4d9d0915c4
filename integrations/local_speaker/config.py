"""What a site enters for one sound card."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec

from hub.sdk import Text, Unsupported

DOMAIN = "local_speaker"

Kind = Literal["aplay", "pw-play"]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which program plays, and on what."""

    name: Text
    program: str = "aplay"
    """``aplay`` (ALSA), ``pw-play`` (PipeWire), or the absolute path of one of them."""
    device: Annotated[str, msgspec.Meta(pattern=r"\A[\w.,:=@+-]{0,128}\Z")] = ""
    """ALSA device or PipeWire node; empty for the system's own choice.

    Quotes, slashes and bars stay out: alsa-lib reads ``file:'|command'`` as a command to be run.
    """
    grace_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 5.0
    """Seconds that the program may need over the length of the clip."""


def kind(program: str) -> Kind:
    """Return which of the two programs is meant. Raises Unsupported for any other."""
    path = PurePosixPath(program)
    if program == path.name or path.is_absolute():
        if path.name == "aplay":
            return "aplay"
        if path.name == "pw-play":
            return "pw-play"
    raise Unsupported("the program is aplay, pw-play, or the absolute path of one of them")
