"""Clips of texts and recordings: made once, kept on disk, found again without starting a process."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from hub.actions.speech.engine import TIMEOUT, Engine, find_engine, run_worker
from hub.model.errors import DecodeError, SpeechError
from hub.model.text import Language, clean
from hub.sdk.media import SAMPLE_RATE, Clip

#: Longest text in characters: about 55 s of Mandarin, longer than anybody listens to a loudspeaker.
MAX_TEXT = 200
#: Largest recording read, in bytes: 120 s of stereo at 48 kHz and 16 bit are 23 MB.
MAX_PROMPT = 32 * 1024 * 1024
#: Clips kept in memory and on disk; a sentence of 6 s has 100 kB.
KEEP_IN_MEMORY, KEEP_ON_DISK = 32, 1_000
#: Workers at a time: one for the sentence that is due, one for what is being prepared.
WORKERS = 2
#: Part of every key; to be raised when the processing of the sound changes.
FORMAT = "1"

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


class Speech:
    """Makes clips and caches them in ``folder`` (created if missing, files readable by the hub alone)."""

    def __init__(self, folder: Path, *, engine: Callable[[], Engine] = find_engine, timeout: float = TIMEOUT) -> None:
        self._folder = folder
        self._engine = engine
        self._timeout = timeout
        self._memory: OrderedDict[str, Clip] = OrderedDict()
        self._running: dict[str, asyncio.Task[Clip]] = {}
        self._workers = asyncio.Semaphore(WORKERS)

    async def clip(self, text: str, language: Language) -> Clip:
        """Return ``text`` spoken. A text with Chinese characters is read in Chinese whatever ``language`` says.

        Raises SpeechError: no engine, more than ``MAX_TEXT`` characters, nothing to say, or the engine failed.
        """
        if len(text) > MAX_TEXT:
            raise SpeechError(f"the text has {len(text)} characters, at most {MAX_TEXT} are spoken")
        spoken = speakable(text)
        if not spoken:
            raise SpeechError("there is nothing to say in the text")
        engine = self._engine()
        voices = engine.voices("zh" if _HAN.search(spoken) else language)
        arguments = ("say", str(SAMPLE_RATE), voices, *engine.arguments)
        return await self._once(_key("say", engine.id, voices, spoken), arguments, spoken.encode())

    async def prompt(self, path: Path) -> Clip:
        """Return a recording (PCM WAV of any usual rate, width and channel count) as a clip. Raises SpeechError."""
        try:
            data = await asyncio.to_thread(_read, path)
        except OSError as error:
            raise SpeechError(f"cannot read the recording {clean(path.name)}: {error.strerror}") from None
        if len(data) > MAX_PROMPT:
            raise SpeechError(f"the recording {clean(path.name)} is larger than {MAX_PROMPT} bytes")
        key = _key("prompt", hashlib.sha256(data).hexdigest())
        return await self._once(key, ("convert", str(SAMPLE_RATE)), data)

    async def prepare(self, texts: Iterable[tuple[str, Language]]) -> dict[str, SpeechError]:
        """Make the clips of ``texts``, one after another, ahead of need; return those that failed, with the reason."""
        failed = {}
        for text, language in texts:
            try:
                await self.clip(text, language)
            except SpeechError as error:
                failed[text] = error
        return failed

    async def close(self) -> None:
        """Stop what is being made; its callers are cancelled."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _once(self, key: str, arguments: tuple[str, ...], data: bytes) -> Clip:
        """Return the clip of ``key``; callers who ask while it is being made share one task that none can cancel."""
        if (clip := self._memory.get(key)) is not None:
            self._memory.move_to_end(key)
            return clip
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, arguments, data), name=f"speech {key[:8]}")
            self._running[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def _finished(self, key: str, task: asyncio.Task[Clip]) -> None:
        del self._running[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._memory[key] = task.result()
        if len(self._memory) > KEEP_IN_MEMORY:
            self._memory.popitem(last=False)

    async def _make(self, key: str, arguments: tuple[str, ...], data: bytes) -> Clip:
        path = self._folder / f"{key}.wav"
        if (stored := await asyncio.to_thread(_load, path)) is not None:
            return stored
        async with self._workers:
            wav = await run_worker(arguments, data, self._timeout)
        try:
            clip = Clip.from_wav(wav)
        except DecodeError as error:
            raise SpeechError(f"the speech process gave no sound: {error.reason}") from None
        # A full disk must not silence a warning: the clip is played, only not kept.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_store, path, wav)
        return clip


def speakable(text: str) -> str:
    """Return ``text`` without control characters, and without ``[[``, which eSpeak NG takes for phonemes to follow."""
    return clean(text.replace("[", " ").replace("]", " "), MAX_TEXT)


def _key(*parts: str) -> str:
    """SHA-256 over the parts, each with its length, so that no two lists give the same bytes."""
    digest = hashlib.sha256()
    for part in (FORMAT, str(SAMPLE_RATE), *parts):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_PROMPT + 1)


def _load(path: Path) -> Clip | None:
    """Return a cached clip, or None where there is none or it is damaged (then it is made again)."""
    try:
        data = path.read_bytes()
        clip = Clip.from_wav(data)
    except (OSError, DecodeError):
        return None
    return clip if clip.wav() == data else None  # a cut file would still decode, to half a sentence


def _store(path: Path, wav: bytes) -> None:
    """Write atomically with mode 0600, and forget the oldest clips over ``KEEP_ON_DISK``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")  # mkstemp gives 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(wav)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    oldest_first = sorted(path.parent.glob("*.wav"), key=lambda kept: kept.stat().st_mtime_ns)
    for old in oldest_first[:-KEEP_ON_DISK]:
        old.unlink(missing_ok=True)
