"""Writes the folder of a new integration: manifest, about thirty lines of code, a capture and its test, all working."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from hub.model.errors import HubError
from hub.model.ids import NAME

TEMPLATES: Final = Path(__file__).parent / "templates"
#: Kinds that can be begun with, and what they are in words.
KINDS: Final = {
    "mqtt": "devices that speak by MQTT, each message naming its device",
    "http": "a device that is asked by HTTP",
    "notifier": "a service that tells people",
}


class SkeletonError(HubError):
    """A folder that cannot be written: why."""


def write(folder: Path, domain: str, kind: str, title: str, author: str) -> list[Path]:
    """Write ``folder/domain``; return the files. Raises SkeletonError, and overwrites nothing."""
    if not NAME.match(domain):
        raise SkeletonError(f"`{domain}` is no name: use a-z, 0-9 and _, beginning with a letter")
    for text in (title, author):
        if not text.isprintable() or set(text) & set('{}[]:,#&*!|>%@`"\\') or not 1 <= len(text) <= 40:
            raise SkeletonError(f"`{text}`: 1 to 40 letters, digits, spaces or Chinese characters")
    target = folder / domain
    if target.exists():
        raise SkeletonError(f"{target} is there already; choose another name or remove it")
    words = {"domain": domain, "title": title, "author": author}
    written = []
    for template in sorted((TEMPLATES / kind).rglob("*")):
        if template.is_file():
            path = target / template.relative_to(TEMPLATES / kind).with_suffix(
                "" if template.suffix == ".txt" else template.suffix
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(template.read_text("utf-8")).substitute(words), "utf-8")
            written.append(path)
    return written
