"""Serial adapters on USB, from sysfs (Linux kernel, Documentation/ABI/testing/sysfs-bus-usb). Nothing is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hub.discovery.matchers import Matcher, match
from hub.model.found import Found, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Longest attribute that is read, in characters.
_LONGEST = 120


def scan(known: Iterable[Matcher], sysfs: Path = Path("/sys"), dev: Path = Path("/dev")) -> Iterator[Found]:
    """Return every USB serial port that is plugged in.

    Its identity is vendor, product and serial number, so that it stays the same in another socket; without a serial
    number it is the socket.
    """
    known = tuple(known)
    for tty in sorted((sysfs / "class" / "tty").glob("tty[UA]*")):
        unit = _usb_device((tty / "device").resolve())
        if unit is None:
            continue
        vendor, product, serial = (_read(unit / name) for name in ("idVendor", "idProduct", "serial"))
        path = str(dev / tty.name)
        yield match(
            known,
            Source.USB,
            (f"{vendor}:{product}",),
            identity=f"{vendor}:{product}:{serial or unit.name}",
            name=_read(unit / "product") or f"USB {vendor}:{product}",
            facts={"vendor": _read(unit / "manufacturer"), "id": f"{vendor}:{product}", "serial": serial, "path": path},
            properties={"path": path},
        )


def _usb_device(place: Path) -> Path | None:
    """Climb from the port to the device that has a vendor."""
    for folder in (place, *place.parents[:4]):
        if (folder / "idVendor").is_file():
            return folder
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()[:_LONGEST]
    except OSError:
        return ""
