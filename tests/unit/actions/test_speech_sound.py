"""The worker's resampling, against tones whose answer is known."""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array

import pytest

from hub.actions.speech.resample import PEAK, SoundError, convert, normalise, resample, to_mono

RATE = 22_050


def tone(frequency: float, rate: int = RATE, seconds: float = 0.5, peak: int = 16_000) -> array[int]:
    return array("h", (round(peak * math.sin(2 * math.pi * frequency * i / rate)) for i in range(int(rate * seconds))))


def level(samples: list[float], frequency: float, rate: int = 8_000) -> float:
    """Amplitude at one frequency, by correlation over the middle half (no edges)."""
    middle = samples[len(samples) // 4 : len(samples) * 3 // 4]
    real = sum(s * math.cos(2 * math.pi * frequency * i / rate) for i, s in enumerate(middle))
    imaginary = sum(s * math.sin(2 * math.pi * frequency * i / rate) for i, s in enumerate(middle))
    return 2 * math.hypot(real, imaginary) / len(middle)


def wav(data: bytes, rate: int, width: int = 2, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return buffer.getvalue()


@pytest.mark.parametrize("frequency", [200, 1_000, 2_500, 3_400])
def test_speech_band_passes_unchanged(frequency: int) -> None:
    ratio = level(resample(tone(frequency), RATE, 8_000), frequency) / 16_000
    assert abs(20 * math.log10(ratio)) < 0.1  # dB


@pytest.mark.parametrize("frequency", [4_100, 4_600, 6_000, 7_900, 10_500])
def test_nothing_above_four_kilohertz_folds_back(frequency: int) -> None:
    folded = abs(frequency - 8_000 * round(frequency / 8_000))
    samples = tone(frequency)
    assert 20 * math.log10(level(resample(samples, RATE, 8_000), folded) / 16_000) < -60

    naive = [float(samples[int(i * RATE / 8_000)]) for i in range(4_000)]
    assert 20 * math.log10(level(naive, folded) / 16_000) > -15, "the test cannot fail"


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 16_000, 44_100, 48_000])
def test_length_and_pitch_stay(rate: int) -> None:
    result = resample(tone(1_000, rate), rate, 8_000)
    assert abs(len(result) - 4_000) <= 1
    assert level(result, 1_000) == pytest.approx(16_000, rel=0.02)


def test_every_width_and_channel_count_gives_the_same_samples() -> None:
    samples = tone(1_000, 8_000, 0.05)
    pairs = samples.tobytes()
    wide = b"".join(b"\0" + pairs[i : i + 2] for i in range(0, len(pairs), 2))
    widest = b"".join(b"\0\0" + pairs[i : i + 2] for i in range(0, len(pairs), 2))
    stereo = b"".join(pairs[i : i + 2] * 2 for i in range(0, len(pairs), 2))
    assert sys.byteorder == "little"
    assert to_mono(wav(pairs, 8_000)) == (samples, 8_000)
    assert to_mono(wav(wide, 8_000, width=3)) == (samples, 8_000)
    assert to_mono(wav(widest, 8_000, width=4)) == (samples, 8_000)
    assert to_mono(wav(stereo, 8_000, channels=2)) == (samples, 8_000)
    eight, _ = to_mono(wav(bytes((s >> 8) + 128 for s in samples), 8_000, width=1))
    assert all(0 <= a - b < 256 for a, b in zip(samples, eight, strict=True))


def test_peak_is_three_decibels_below_full_scale() -> None:
    assert max(map(abs, normalise([0.0, 500.0, -1_000.0]))) == PEAK
    assert 20 * math.log10(PEAK / 32_767) == pytest.approx(-3, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"\0" * 500,
        wav(bytes(2_000), 8_000),
        wav(tone(1_000, 8_000, peak=200).tobytes(), 8_000),
        wav(b"", 8_000),
        wav(bytes(100), 300),
        wav(bytes(100), 8_000)[:30],
    ],
    ids=["empty", "cut", "no WAV", "silence", "noise floor", "no samples", "rate", "cut header"],
)
def test_useless_sound_is_refused(data: bytes) -> None:
    with pytest.raises(SoundError):
        convert(data, 8_000)
