"""Plays clips by a program of the system."""

from __future__ import annotations

import asyncio
import shutil

from hub.sdk import Clip, CommandKey, Unreachable, Unsupported
from integrations.local_speaker.config import Config, Kind
from integrations.local_speaker.pcm import scaled
from integrations.local_speaker.program import run

#: The Debian package of each program.
PACKAGES: dict[Kind, str] = {"aplay": "alsa-utils", "pw-play": "pipewire-bin"}


class LocalSpeaker:
    """What is plugged into this machine."""

    def __init__(self, config: Config) -> None:
        """Find the program. Raises Unsupported where it is missing."""
        self._kind = config.program
        self._config = config
        found = shutil.which(config.program)
        if found is None:
            raise self._missing()
        self._program = found

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Play ``clip`` and return when it was heard. Raises DeviceError.

        A sound card has no place for the key: a repeat after a crash is heard again.
        """
        sound = await asyncio.to_thread(lambda: scaled(clip, volume).wav())  # 0.1 s for a minute of sound
        try:
            await run(self.arguments(), sound, clip.seconds + self._config.grace_s)
        except FileNotFoundError:
            raise self._missing() from None
        except OSError as error:
            raise Unreachable(f"{self._kind} cannot be started ({error.strerror})") from None

    def arguments(self) -> tuple[str, ...]:
        """Return the command line: aplay(1) or pw-cat(1). The device stands behind ``=``: it never is an option."""
        device = self._config.device
        if self._kind == "aplay":
            choice = (f"--device={device}",) if device else ()
            return (self._program, "--quiet", "--file-type=wav", *choice, "-")
        choice = (f"--target={device}",) if device else ()
        return (self._program, *choice, "/dev/stdin")

    def _missing(self) -> Unsupported:
        return Unsupported(f"{self._kind} is missing: install the Debian package {PACKAGES[self._kind]}")
