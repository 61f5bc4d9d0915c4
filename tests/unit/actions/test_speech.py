"""Speech with the engines that are really installed: what is said, how it sounds, and what is remembered."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import re
import shutil
import stat
import sys
from array import array
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from hub.actions.speech.engine import ROOT, Engine, run_worker
from hub.actions.speech.resample import PEAK
from hub.actions.speech.speech import MAX_TEXT, Speech, speakable
from hub.model.errors import SpeechError
from tests.kit.wait import until

FIRE_LANE = "您好，消防车通道禁止停车，请立即驶离，谢谢配合。"
#: What the hostile texts would create.
OWNED = Path(__file__).parent / "owned"
PROGRAM = shutil.which("espeak-ng")
ENGINES = [
    pytest.param(
        Engine("program", ("program", PROGRAM or "")),
        marks=pytest.mark.skipif(PROGRAM is None, reason="the program espeak-ng is NOT installed"),
        id="program",
    ),
    pytest.param(
        Engine("library", ("library",)),
        marks=pytest.mark.skipif(
            importlib.util.find_spec("espeakng_loader") is None, reason="the wheel espeakng_loader is NOT installed"
        ),
        id="library",
    ),
]

PHONEMES = """
import sys
from hub.actions.speech.espeak import Library, Program, choose_voice
espeak = Program(sys.argv[2]) if sys.argv[1] == "program" else Library()
voice = choose_voice(espeak, sys.argv[3].split(","))
print(voice, espeak.phonemes(sys.stdin.read(), voice))
"""


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def forbid_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_arguments: object, **_options: object) -> NoReturn:
        pytest.fail("a process was started")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)


async def phonemes(engine: Engine, voices: str, text: str) -> str:
    """What the engine would say; in a child, because its code is GPL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PHONEMES, engine.arguments[0], (*engine.arguments, "")[1], voices,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    answer, _ = await process.communicate(text.encode())
    assert process.returncode == 0
    return answer.decode()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_mandarin_is_read_as_mandarin(engine: Engine) -> None:
    said = await phonemes(engine, engine.voices("zh"), FIRE_LANE)
    assert "(en)" not in said
    # Every one of the 20 characters has a tone; English spelled out of pinyin letters has not.
    assert len(re.findall(r"(?:55|35|214|21|51|11)", said)) >= 20


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="the program espeak-ng is NOT installed")
async def test_wrong_voice_is_noticed() -> None:
    """Shows that the check can fail: 1.51 reads English under ``cmn``; where it does not, it must not be refused."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "-q", "-x", "--stdin", "-v", "cmn", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate(FIRE_LANE.encode())
    attempt = run_worker(("say", "8000", "cmn", "program", PROGRAM), FIRE_LANE.encode())
    if b"(en)" in said:
        with pytest.raises(SpeechError, match="cmn right"):
            await attempt
    else:
        assert await attempt


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_the_warning_sounds_as_it_should(engine: Engine, tmp_path: Path) -> None:
    clip = await Speech(tmp_path, engine=lambda: engine).clip(FIRE_LANE, "zh")
    samples = array("h", clip.pcm)
    assert 3 <= clip.seconds <= 12
    assert max(map(abs, samples)) == PEAK
    assert math.sqrt(sum(s * s for s in samples) / len(samples)) > 1_500  # louder than -27 dBFS on the whole
    first = next(i for i, s in enumerate(samples) if abs(s) > 300)
    assert first / 8_000 < 0.1  # seconds of silence before the first word


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_english_and_chinese_differ_and_chinese_is_never_read_as_english(engine: Engine, tmp_path: Path) -> None:
    speech = Speech(tmp_path, engine=lambda: engine)
    english = await speech.clip("Please move your car now.", "en")
    assert 1 <= english.seconds <= 4
    assert await speech.clip("请离开", "en") == await speech.clip("请离开", "zh")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_cache_survives_and_starts_no_process(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Speech(tmp_path, engine=lambda: engine)
    clip = await first.clip("请离开", "zh")
    forbid_processes(monkeypatch)
    assert await first.clip("请离开", "zh") is clip  # memory
    assert await Speech(tmp_path, engine=lambda: engine).clip("请离开", "zh") == clip  # disk
    stored = only_file(tmp_path)
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"RIFF....", None], ids=["empty", "garbage", "cut"])
async def test_damaged_cache_is_made_again(damage: bytes | None, tmp_path: Path) -> None:
    clip = await Speech(tmp_path).clip("请离开", "zh")
    stored = only_file(tmp_path)
    stored.write_bytes(stored.read_bytes()[:-4_000] if damage is None else damage)
    assert await Speech(tmp_path).clip("请离开", "zh") == clip


@pytest.mark.slow
async def test_concurrent_callers_share_one_worker_and_none_can_cancel_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    started = asyncio.Event()

    async def counted(arguments: tuple[str, ...], data: bytes, timeout: float) -> bytes:
        calls.append(arguments)
        started.set()
        return await run_worker(arguments, data, timeout)

    monkeypatch.setattr("hub.actions.speech.speech.run_worker", counted)
    speech = Speech(tmp_path)
    impatient, *patient = [asyncio.create_task(speech.clip("请离开", "zh")) for _ in range(5)]
    await started.wait()
    impatient.cancel()
    clips = await asyncio.gather(*patient)
    assert impatient.cancelled()
    assert len(set(map(id, clips))) == 1
    assert len(calls) == 1


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "text",
    [
        "请\0离\x1b[31m开\u202e\n\n",
        f"'; touch {OWNED}; echo `id` $(id)",
        f"--help -w {OWNED}",
        "<speak><audio src='/etc/passwd'/>请离开</speak>",
        "[[h@l'oU]] 请离开",
        "\ud800请离开",
        "请" * MAX_TEXT,
        "😀👮🏽 请离开",
        "%s%n%x" * 20,
    ],
)
async def test_hostile_text_is_only_read(engine: Engine, text: str, tmp_path: Path) -> None:
    speech = Speech(tmp_path, engine=lambda: engine)
    assert (await speech.clip(text, "zh")).seconds < 120
    assert not OWNED.exists()


@pytest.mark.parametrize("text", ["", " \n", "\0\x1b", "[[]]", "请" * (MAX_TEXT + 1)])
async def test_unusable_text_starts_no_process(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_processes(monkeypatch)
    with pytest.raises(SpeechError):
        await Speech(tmp_path).clip(text, "zh")


@pytest.mark.slow
async def test_prepare_goes_on_after_a_text_that_cannot_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech = Speech(tmp_path)
    failed = await speech.prepare([("，。", "zh"), ("请离开", "zh")])
    assert list(failed) == ["，。"]
    assert "nothing to hear" in str(failed["，。"])
    forbid_processes(monkeypatch)
    assert (await speech.clip("请离开", "zh")).pcm


@pytest.mark.slow
async def test_a_recording_becomes_a_clip(tmp_path: Path) -> None:
    speech = Speech(tmp_path / "cache")
    spoken = await speech.clip("请离开", "zh")
    recording = tmp_path / "recording.wav"
    recording.write_bytes(spoken.wav())
    assert (await speech.prompt(recording)).seconds == spoken.seconds

    recording.write_bytes(b"not a sound")
    with pytest.raises(SpeechError, match="not a PCM WAV"):
        await speech.prompt(recording)
    with pytest.raises(SpeechError, match=r"cannot read the recording missing\.wav"):
        await speech.prompt(tmp_path / "missing.wav")


async def test_without_an_engine_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(SpeechError, match=r"espeak-ng.*menshen\[tts\]"):
        await Speech(tmp_path).clip("请离开", "zh")


async def test_a_full_disk_does_not_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "file"
    folder.write_text("a file where the folder should be")
    assert (await Speech(folder).clip("请离开", "zh")).pcm


async def fake_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, timeout: float = 10) -> bytes:
    """Run a stand-in for the worker: the same command line, through an interpreter that does ``body`` instead."""
    script = tmp_path / "interpreter"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    return await run_worker(("say",), b"text", timeout)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("cat > /dev/null; printf '\\033[31mbad'; exit 1", r"^\[31mbad$"),
        ("exit 7", "failed with code 7"),
        ("kill -SEGV $$", "failed with code -11"),
        ("cat /dev/zero", "longer than"),
    ],
    ids=["sentence", "early end", "crash", "flood"],
)
async def test_failing_worker(body: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpeechError, match=sentence):
        await fake_worker(tmp_path, monkeypatch, body)


async def test_hanging_worker_and_its_children_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pids"
    body = f"sleep 600 & echo $$ $! > {pids}; wait"
    with pytest.raises(SpeechError, match=r"within 0\.5 s"):
        await fake_worker(tmp_path, monkeypatch, body, timeout=0.5)
    for pid in pids.read_text().split():
        until(partial(_ended, pid), within=5, what="the worker and its child ended")


def _ended(pid: str) -> bool:
    """Tell whether a process is gone, or only waits to be counted; a signal takes a moment to arrive."""
    try:
        return (Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_brackets_never_reach_the_engine() -> None:
    assert speakable("[[x]] a\tb") == "x a b"
