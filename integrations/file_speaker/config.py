"""What a site enters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hub.sdk import Text, Unsupported

DOMAIN = "file_speaker"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the utterances go."""

    name: Text
    path: str = "said"
    """Folder below the integration's own in the data folder."""
    sink: Literal["folder", "null"] = "folder"
    """``null`` takes every utterance and keeps nothing."""
    keep: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    """Newest utterances that are kept; 6 s are 100 kB."""


def folder(data: Path, path: str) -> Path:
    """Return ``path`` below ``data``. Raises Unsupported for one that leaves it, also by a link."""
    try:
        wanted = (data / path).resolve()
    except (ValueError, OSError):
        raise Unsupported("the folder's name cannot be used") from None
    if not path or not wanted.is_relative_to(data.resolve()):
        raise Unsupported("the folder must lie below the integration's own in the data folder")
    return wanted
