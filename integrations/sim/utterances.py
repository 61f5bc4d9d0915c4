"""What a loudspeaker has said: one record and one WAV per utterance, kept over restarts."""

from __future__ import annotations

import io
import json
import secrets
import sys
import time
import wave
from array import array
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from integrations.sim import g711
from integrations.sim.ledger import Ledger, whole_file

#: The oldest utterance goes when there are more.
MAX_KEPT = 500


@dataclass
class Utterance:
    """One thing said. ``via`` tells how it came, ``identity`` what a repeat has in common with it."""

    id: str
    via: Literal["rtp", "http", "axis"]
    identity: str
    """``rtp:<ssrc>``, ``http:<key>``, or empty: nothing to recognise a repeat by."""
    started_at: float
    """Arrival of the first packet or of the request, seconds since 1970 with microseconds."""
    ssrc: int | None = None
    key: str | None = None
    seconds: float = 0.0
    packets: int = 0
    lost: int = 0
    late: int = 0
    rms: float = 0.0
    repeats: int = 0
    volume: int | None = None
    codec: str = ""
    speaking: bool = True

    def shown(self) -> dict[str, Any]:
        """Return the record as JSON shows it."""
        fields = {name: value for name, value in asdict(self).items() if name != "identity"}
        return fields | {"url": None if self.speaking else f"/utterances/{self.id}.wav"}


@dataclass
class Store:
    """The records in memory and on disk, oldest first."""

    folder: Path
    ledger: Ledger
    said: dict[str, Utterance] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)

    def load(self) -> None:
        """Read what an earlier run kept. Files that are no records are left alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = []
        for path in self.folder.glob("*.json"):
            try:
                found.append(Utterance(**json.loads(path.read_text())))
            except (ValueError, TypeError) as error:
                sys.stderr.write(f"speaker: {path.name}: {error}\n")
        for utterance in sorted(found, key=lambda one: one.started_at):
            self._keep(utterance)

    def find(self, identity: str) -> Utterance | None:
        """Return the utterance that a repeat repeats."""
        return self.said.get(self._known.get(identity, ""))

    def begin(
        self, via: Literal["rtp", "http", "axis"], *, ssrc: int | None = None, key: str | None = None, codec: str = ""
    ) -> Utterance:
        """Record that a new utterance begins now: in the ledger before it can be heard."""
        started = time.time()
        identity = f"rtp:{ssrc}" if ssrc is not None else f"http:{key}" if key else ""
        name = time.strftime("%Y%m%dT%H%M%S", time.gmtime(started)) + "-" + secrets.token_hex(4)
        utterance = Utterance(name, via, identity, round(started, 6), ssrc=ssrc, key=key, codec=codec)
        self.ledger.add(id=name, via=via, ssrc=ssrc, key=key, started_at=utterance.started_at)
        self._keep(utterance)
        return utterance

    def end(self, utterance: Utterance, samples: array[int], rate: int = g711.RATE) -> None:
        """Keep the sound of an utterance that is over."""
        utterance.seconds = round(len(samples) / rate, 3)
        utterance.rms = round(g711.rms(samples), 5)
        utterance.speaking = False
        whole_file(self.sound(utterance), to_wav(samples, rate))
        self.note(utterance)

    def note(self, utterance: Utterance) -> None:
        """Write the record of an utterance again."""
        if not utterance.speaking and utterance.id in self.said:
            whole_file(self._record(utterance), json.dumps(asdict(utterance), ensure_ascii=False).encode())

    def sound(self, utterance: Utterance) -> Path:
        """Return where its WAV is."""
        return self.folder / f"{utterance.id}.wav"

    def clear(self) -> None:
        """Forget everything, also what repeats are recognised by."""
        for utterance in list(self.said.values()):
            self._forget(utterance)

    def _record(self, utterance: Utterance) -> Path:
        return self.folder / f"{utterance.id}.json"

    def _keep(self, utterance: Utterance) -> None:
        self.said[utterance.id] = utterance
        if utterance.identity:
            self._known[utterance.identity] = utterance.id
        while len(self.said) > MAX_KEPT:
            self._forget(next(iter(self.said.values())))

    def _forget(self, utterance: Utterance) -> None:
        del self.said[utterance.id]
        self._known.pop(utterance.identity, None)
        self.sound(utterance).unlink(missing_ok=True)
        self._record(utterance).unlink(missing_ok=True)


def to_wav(samples: array[int], rate: int) -> bytes:
    """Return mono 16-bit samples as a RIFF WAVE file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(g711.little_endian(samples))
    return buffer.getvalue()


def from_wav(data: bytes) -> tuple[array[int], int]:
    """Return samples and rate of a mono 16-bit WAV. Raises ValueError."""
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise ValueError("expected mono, 16 bits a sample")
            samples, rate = array("h", file.readframes(file.getnframes())), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a whole WAV file ({str(error) or 'cut short'})") from None
    if not samples or not 4_000 <= rate <= 48_000:
        raise ValueError("no sound in it, or not at 4 to 48 kHz")
    if sys.byteorder == "big":
        samples.byteswap()
    return samples, rate
