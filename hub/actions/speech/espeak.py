"""The two ways to eSpeak NG (GPL-3): Debian's program, or the library of the wheel ``espeakng_loader``.

Only the worker process may import this. Constants and signatures: speak_lib.h of eSpeak NG 1.52.
"""

from __future__ import annotations

import ctypes
import io
import subprocess
import wave
from typing import Protocol

from hub.actions.speech.resample import SoundError

#: What the engine puts before a word that it reads with English rules in the midst of another language.
ENGLISH_FALLBACK = "(en)"
#: One sentence with the sounds that eSpeak NG 1.51 gets wrong under its voice ``cmn`` (it spells pinyin in English).
MANDARIN_PROBE = "消防车通道禁止停车，请立即驶离"

_AUDIO_OUTPUT_SYNCHRONOUS, _INITIALIZE_DONT_EXIT = 2, 0x8000
_CHARS_UTF8, _ENDPAUSE = 1, 0x1000
_POS_CHARACTER = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Espeak(Protocol):
    """One engine. Both methods raise SoundError, also where it has no such voice."""

    def phonemes(self, text: str, voice: str) -> str:
        """Return how ``text`` would be said, in the engine's own notation."""
        ...

    def wav(self, text: str, voice: str) -> bytes:
        """Return ``text`` spoken, as WAV in the engine's own rate."""
        ...


class Program:
    """Debian's ``espeak-ng``. The text goes in on its standard input, never into the process list."""

    def __init__(self, path: str) -> None:
        self._path = path

    def phonemes(self, text: str, voice: str) -> str:
        """Return how ``text`` would be said."""
        return self._run(text, "-q", "-x", "-v", voice).decode(errors="replace")

    def wav(self, text: str, voice: str) -> bytes:
        """Return ``text`` spoken."""
        return self._run(text, "--stdout", "-v", voice)

    def _run(self, text: str, *options: str) -> bytes:
        done = subprocess.run(  # noqa: S603 (a fixed list; the path comes from the hub, the text from no argument)
            [self._path, "-b", "1", "--stdin", *options], input=text.encode(), capture_output=True, check=False
        )
        if done.returncode != 0:
            raise SoundError(f"the program espeak-ng ended with code {done.returncode}")
        return done.stdout


class Library:
    """``libespeak-ng`` with its voice data, both from the wheel."""

    def __init__(self) -> None:
        import espeakng_loader  # an optional extra, wanted only where the program is missing

        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._rate = self._lib.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _INITIALIZE_DONT_EXIT
        )
        if self._rate <= 0:
            raise SoundError("the library of espeakng_loader did not start")

    def phonemes(self, text: str, voice: str) -> str:
        """Return how ``text`` would be said."""
        self._choose(voice)
        buffer = ctypes.create_string_buffer(text.encode())  # must live as long as ``rest`` points into it
        rest = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while rest.value:
            clauses.append(self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, 0).decode(errors="replace"))
        return "\n".join(clauses)

    def wav(self, text: str, voice: str) -> bytes:
        """Return ``text`` spoken."""
        self._choose(voice)
        pcm = bytearray()

        def collect(samples: int | None, count: int, _events: int | None) -> int:
            if samples:
                pcm.extend(ctypes.string_at(samples, count * 2))
            return 0

        callback = _CALLBACK(collect)  # must live until espeak_Synth is over
        self._lib.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        if self._lib.espeak_Synth(encoded, len(encoded) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8 | _ENDPAUSE, None, None):
            raise SoundError("the library of espeakng_loader could not speak the text")
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self._rate)
            file.writeframes(bytes(pcm))
        return buffer.getvalue()

    def _choose(self, voice: str) -> None:
        if self._lib.espeak_SetVoiceByName(voice.encode()):
            raise SoundError(f"the library of espeakng_loader has no voice {voice}")


def choose_voice(engine: Espeak, voices: list[str]) -> str:
    """Return the first of ``voices`` that the engine has and, if it is Mandarin, reads right. Raises SoundError.

    Asked each time, not concluded from a version: it takes 10 ms, and a warning in gibberish is worse than none.
    """
    for voice in voices:
        try:
            if not voice.startswith("cmn") or ENGLISH_FALLBACK not in engine.phonemes(MANDARIN_PROBE, voice):
                return voice
        except SoundError:
            continue
    raise SoundError(f"this speech engine reads none of the voices {', '.join(voices)} right")
