"""The child that makes sound: ``python -m hub.actions.speech.espeak_worker``; the input is read to its end first.

::

    say RATE VOICES program PATH     UTF-8 text in, WAV out, by Debian's espeak-ng
    say RATE VOICES library          the same, by the wheel espeakng_loader
    convert RATE                     any PCM WAV in, WAV out

VOICES are tried in order, separated by commas. WAV out is mono 16-bit at RATE. Exit 0: the sound is on standard output;
1: a sentence is, saying why there is no sound.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from hub.actions.speech.espeak import Library, Program, choose_voice
from hub.actions.speech.resample import SoundError, convert

#: Even where the sound goes into a file, libpcaudio looks for the user's PulseAudio and writes into the home folder.
_NO_SOUND_SERVER = {"PULSE_SERVER": "unix:/nonexistent"}


def say(text: str, rate: int, voices: list[str], engine: list[str]) -> bytes:
    """Return ``text`` spoken. Raises SoundError."""
    espeak = Program(engine[1]) if engine[0] == "program" else Library()
    return convert(espeak.wav(text, choose_voice(espeak, voices)), rate)


def main(argv: list[str]) -> int:
    """Do what ``argv`` says and return the exit code."""
    os.environ.update(_NO_SOUND_SERVER)
    command, rate = argv[0], int(argv[1])
    data = sys.stdin.buffer.read()
    work: Callable[[], bytes] = (
        (lambda: say(data.decode(), rate, argv[2].split(","), argv[3:]))
        if command == "say"
        else lambda: convert(data, rate)
    )
    try:
        answer, code = work(), 0
    except SoundError as error:
        answer, code = str(error).encode(), 1
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
