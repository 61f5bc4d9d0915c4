"""Sound of any usual rate, width and channel count, brought to mono 16-bit at the hub's rate. Runs in the worker."""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from operator import mul

#: Rates taken, in samples per second; outside it is damaged or no sound.
MIN_RATE, MAX_RATE = 4_000, 192_000
#: Peak of what the hub plays: -3 dBFS, clear through a small horn and with room for a device's own processing.
PEAK = round(32_767 * 10 ** (-3 / 20))
#: A clip that never exceeds this (-40 dBFS) holds no speech; raising it would play noise as a warning.
SILENCE = 328
#: Attenuation beyond the stop band in dB, and the pass band's end as a part of the lower Nyquist frequency: at 8 kHz
#: speech passes up to 3.4 kHz, the band of ITU-T G.712, and from 4 kHz on nothing is left that could fold back.
STOP_DB, PASS = 70.0, 0.85


class SoundError(Exception):
    """A sound that cannot be used; the text says why."""


def to_mono(data: bytes) -> tuple[array[int], int]:
    """Return the mono 16-bit samples of a PCM WAV and their rate. Raises SoundError."""
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            # What streams (a pipe) has no true length in its header; the data itself decides.
            frames = file.readframes(min(file.getnframes(), len(data)))
    except (wave.Error, EOFError) as error:
        raise SoundError(f"not a PCM WAV file: {error}") from None
    if not (MIN_RATE <= rate <= MAX_RATE and 1 <= channels <= 8 and 1 <= width <= 4):
        raise SoundError(f"cannot use sound of {rate} Hz, {channels} channels, {width * 8} bit")
    frames = frames[: len(frames) - len(frames) % (width * channels)]
    samples = _sixteen_bit(frames, width)
    if channels == 1:
        return samples, rate
    return array("h", (sum(samples[i : i + channels]) // channels for i in range(0, len(samples), channels))), rate


def _sixteen_bit(frames: bytes, width: int) -> array[int]:
    """Keep the two upper bytes of each little-endian sample; 8-bit WAV is unsigned, wider ones are signed."""
    if width == 1:
        return array("h", ((sample - 128) << 8 for sample in frames))
    packed = bytearray(len(frames) // width * 2)
    packed[0::2], packed[1::2] = frames[width - 2 :: width], frames[width - 1 :: width]
    samples = array("h", bytes(packed))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def resample(samples: array[int], rate: int, target: int) -> list[float]:
    """Change the rate by a polyphase low-pass: a sinc under a Kaiser window (Oppenheim/Schafer, section 7.5)."""
    if rate == target:
        return [float(sample) for sample in samples]
    divisor = math.gcd(rate, target)
    step, phases = rate // divisor, target // divisor
    nyquist = min(rate, target) / 2
    # Frequencies as parts of the input rate.
    cutoff, transition = nyquist * (1 + PASS) / 2 / rate, nyquist * (1 - PASS) / rate
    half = math.ceil((STOP_DB - 7.95) / (2.285 * 2 * math.pi * transition) / 2)
    table: dict[int, list[float]] = {}
    padded = array("h", bytes(2 * half)) + samples + array("h", bytes(2 * (half + 1)))
    result = []
    for index in range(len(samples) * phases // step):
        base, phase = divmod(index * step, phases)
        if phase not in table:
            table[phase] = _kernel(phase / phases, half, cutoff)
        result.append(sum(map(mul, table[phase], padded[base : base + 2 * half + 1])))
    return result


def _kernel(fraction: float, half: int, cutoff: float) -> list[float]:
    """Weights of the samples around a point ``fraction`` of a sample after the middle one; they add up to 1."""
    beta = 0.1102 * (STOP_DB - 8.7)
    weights = []
    for tap in range(-half, half + 1):
        time = tap - fraction
        inside = max(0.0, 1 - (time / (half + 1)) ** 2)
        sinc = 2 * cutoff if time == 0 else math.sin(2 * math.pi * cutoff * time) / (math.pi * time)
        weights.append(sinc * _bessel(beta * math.sqrt(inside)))
    total = sum(weights)
    return [weight / total for weight in weights]


def _bessel(x: float) -> float:
    """Modified Bessel function of the first kind, order 0, by its power series."""
    total = term = 1.0
    k = 0
    while term > 1e-9 * total:
        k += 1
        term *= (x / 2 / k) ** 2
        total += term
    return total


def normalise(samples: list[float]) -> array[int]:
    """Bring the peak to ``PEAK``. Raises SoundError for silence."""
    peak = max(map(abs, samples), default=0.0)
    if peak < SILENCE:
        raise SoundError("there is nothing to hear in it")
    return array("h", (round(sample * PEAK / peak) for sample in samples))


def convert(data: bytes, target: int) -> bytes:
    """Return a PCM WAV as mono 16-bit WAV at ``target`` samples per second, its peak at ``PEAK``. Raises SoundError."""
    samples = normalise(resample(*to_mono(data), target))
    if sys.byteorder == "big":
        samples.byteswap()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(target)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
