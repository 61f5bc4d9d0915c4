"""One camera with one or two ways to a picture."""

from __future__ import annotations

from typing import Protocol

from hub.sdk import DeviceError, Picture


class Source(Protocol):
    """One way to a picture."""

    label: str

    async def picture(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        ...


class GenericCamera:
    """Asks its sources in order; the first picture wins. ``video`` is the address of its stream, with the password."""

    def __init__(self, sources: tuple[Source, ...], video: str = "") -> None:
        self._sources = sources
        self.video = video

    async def snapshot(self) -> Picture:
        """Take one picture now. Raises the DeviceError that leaves most hope, with what every source said."""
        failures: list[DeviceError] = []
        said: list[str] = []
        for source in self._sources:
            try:
                return await source.picture()
            except DeviceError as error:
                failures.append(error)
                said.append(f"{source.label}: {error.reason}")
        kind = type(next((failure for failure in failures if failure.retry), failures[0]))
        raise kind("; ".join(said))
