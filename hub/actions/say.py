"""Speaks through the loudspeakers of a zone: one voice at a time on each, and what was said is kept as evidence."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from hub.actions.rate import Rates
from hub.actions.turns import Turns
from hub.model.decision import Say as SayAction
from hub.model.errors import DeviceError, Limited, SpeechError, Unsupported
from hub.model.execution import Done, pause
from hub.model.site import Role
from hub.model.time import SECOND, Instant
from hub.sdk import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hub.actions.capture import Equipped
    from hub.actions.evidence import EvidenceStore
    from hub.actions.speech.speech import Speech
    from hub.model.decision import Command
    from hub.model.execution import Clock
    from hub.model.ids import EntityId
    from hub.model.site import Site, Zone
    from hub.sdk import Clip


class Say:
    """Executor of ``say``."""

    def __init__(
        self,
        site: Callable[[], Site],
        folder: Path,
        equipped: Equipped,
        speech: Speech,
        store: EvidenceStore,
        clock: Clock,
    ) -> None:
        self._site = site
        self._folder = folder
        self._equipped = equipped
        self._speech = speech
        self._store = store
        self._clock = clock
        self._spoken: dict[EntityId, tuple[int, int]] = {}
        """When the last clip of each began, and how long it was."""
        self._rates = Rates()
        self._turns: defaultdict[EntityId, Turns] = defaultdict(Turns)

    def recall(self, spoken: Iterable[Command]) -> None:
        """Count the voices from before a restart, oldest first."""
        for command in spoken:
            zone = self._site().zones.get(command.zone)
            for speaker in () if zone is None else zone.bound(Role.SPEAKER):
                self._rates.heard(command, speaker, command.at)

    async def perform(self, command: Command) -> Done:
        """Speak on every loudspeaker of the zone; it is done when one of them spoke."""
        action = command.action
        if not isinstance(action, SayAction):
            raise Unsupported("this is nothing to say")
        zone: Zone | None = self._site().zones.get(command.zone)
        speakers = () if zone is None else zone.bound(Role.SPEAKER)
        if not speakers:
            raise Unsupported("no loudspeaker is bound to this zone")
        clip = await self._clip(action)
        spoke = await asyncio.gather(
            *(self._play(entity, clip, action.volume, command) for entity in speakers), return_exceptions=True
        )
        began = [result for result in spoke if not isinstance(result, BaseException)]
        failures = [result for result in spoke if isinstance(result, BaseException)]
        if not began:
            raise failures[0]
        evidence = await self._store.keep(command, clip.wav(), "audio/wav", min(began))
        return Done(
            evidence=evidence,
            detail={
                "began_at": min(began),
                "seconds": round(clip.seconds, 2),
                "volume": action.volume,
                "silent": len(failures),
            },
        )

    async def _clip(self, action: SayAction) -> Clip:
        prompt = self._site().prompts.get(action.prompt or "")
        try:
            if prompt is not None and prompt.audio is not None:
                return await self._speech.prompt(self._folder / prompt.audio)
            return await self._speech.clip(action.text.zh, "zh")
        except SpeechError as error:
            raise Unsupported(str(error)) from None

    async def _play(self, entity: EntityId, clip: Clip, volume: int, command: Command) -> Instant:
        """Play, and return when the sound began."""
        speaker = self._equipped.driver(entity)
        if not isinstance(speaker, Speaker):
            raise DeviceError(f"{entity} is not set up")
        urgent = self._is_urgent(command)
        return await self._turns[entity].speak(self._voice(entity, speaker, clip, volume, command), urgent=urgent)

    async def _voice(self, entity: EntityId, speaker: Speaker, clip: Clip, volume: int, command: Command) -> Instant:
        # a device that takes a whole clip at once is still speaking when it has answered
        began, length = self._spoken.get(entity, (0, 0))
        since = self._clock.now() - began
        if since < length and not self._is_urgent(command):  # never longer than the clip: the clock may have gone back
            await pause(self._clock, min(length, length - since))
        started = self._clock.now()
        if not self._rates.allows(command, entity, started):
            raise Limited(f"{entity} has spoken as often as the rule allows")
        await speaker.play(clip, volume, command.key)
        self._rates.heard(command, entity, started)
        self._spoken[entity] = started, int(clip.seconds * SECOND)
        return started

    def _is_urgent(self, command: Command) -> bool:
        action = command.action
        prompt = self._site().prompts.get(action.prompt or "") if isinstance(action, SayAction) else None
        return prompt is not None and prompt.urgent
