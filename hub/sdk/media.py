"""Pictures and sound as they pass between the hub and its devices."""

from __future__ import annotations

import io
import wave

import msgspec

from hub.model.errors import DecodeError

#: Samples per second of all sound in the hub: what G.711 loudspeakers take (ITU-T G.711).
SAMPLE_RATE = 8_000

_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class Picture(msgspec.Struct, frozen=True):
    """One still picture, JPEG or PNG."""

    data: bytes
    media_type: str

    @classmethod
    def from_bytes(cls, data: bytes) -> Picture:
        """Recognise the format by its first bytes, never by what the device claims. Raises DecodeError."""
        for signature, media_type in _SIGNATURES.items():
            if data.startswith(signature):
                return cls(data=data, media_type=media_type)
        raise DecodeError("the device sent something that is neither JPEG nor PNG")


class Clip(msgspec.Struct, frozen=True):
    """Mono sound, signed 16-bit little-endian samples at ``SAMPLE_RATE``."""

    pcm: bytes

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / 2 / SAMPLE_RATE

    def wav(self) -> bytes:
        """Return the clip as a RIFF WAVE file."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(self.pcm)
        return buffer.getvalue()

    @classmethod
    def from_wav(cls, data: bytes) -> Clip:
        """Read a WAV that is already mono, 16-bit, ``SAMPLE_RATE``. Raises DecodeError."""
        try:
            with wave.open(io.BytesIO(data), "rb") as file:
                if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, SAMPLE_RATE):
                    raise DecodeError(f"expected mono 16-bit sound at {SAMPLE_RATE} Hz")
                return cls(pcm=file.readframes(file.getnframes()))
        except (wave.Error, EOFError) as error:
            raise DecodeError(f"not a WAV file: {error}") from None
