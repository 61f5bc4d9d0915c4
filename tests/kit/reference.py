"""The semantics of DESIGN.md section 6 once more: slow, obvious, and independent of hub/engine.

It looks at every rule in every zone after every event and at every tick, keeps all it has seen of a life, and works
each answer out anew from that. It runs on time that never jumps; what a person reads on the clock is added at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hub.engine.rule import CloseIncident, OpenIncident, Rule, RuleAction
from hub.model.decision import Say
from hub.model.site import Site, Zone
from tests.kit.reference_terms import Almanac, Truth, World, serves, told_by_silence
from tests.kit.words import action as words

MINUTE = 60_000_000
Key = tuple[str, str]


@dataclass
class Life:
    """One rule in one zone."""

    phase: str = "idle"
    since: int = 0
    """When the trigger became true (pending), when the warning began (active)."""
    began: int = 0
    """When the trigger of the warning became true."""
    seen: list[tuple[int, Truth]] = field(default_factory=list)
    """Every look since then: when, and what the trigger (pending) or the clear condition (active) said."""
    held: bool = False
    """In time, but a condition was against it."""
    activation: int = 0
    steps: int = 0
    incident: bool = False
    quiet_until: int = 0

    def blind_at_last(self) -> int | None:
        """Return how long the source has been unknown at the last look; None when it is known."""
        start = None
        for at, truth in self.seen:
            if truth is None and start is None:
                start = at
            if truth is not None:
                start = None
        return None if start is None else self.seen[-1][0] - start

    def lost(self, gap: int) -> bool:
        """Tell whether the source was unknown for ``gap`` at a stretch, as far as anybody looked."""
        start = None
        for at, truth in self.seen:
            if start is not None and at - start >= gap:
                return True
            if truth is None:
                start = at if start is None else start
                if at - start >= gap:
                    return True
            else:
                start = None
        return False

    def over_since(self, gap: int) -> int | None:
        """Return since when it is over without a contradiction; too long a blindness begins it anew."""
        start = blind = None
        for at, truth in self.seen:
            if truth is None:
                blind = at if blind is None else blind
            if blind is not None and at - blind >= gap:
                start = None
            if truth is not None:
                blind = None
                start = None if not truth else at if start is None else start
        return start


def stages(rule: Rule) -> list[tuple[int, str, tuple[RuleAction, ...]]]:
    """Write every step out, in the order of time: when, its name, what to do."""
    found = []
    for number, step in enumerate(rule.escalation, 1):
        for turn in range(step.times):
            name = str(number) if step.times == 1 else f"{number}.{turn}"
            found.append((step.after + turn * step.every, name, step.actions))
    return sorted(found, key=lambda stage: stage[0])


class Reference:
    """All lives, and what was decided about each, as ``(kind, clock time, …)``."""

    def __init__(self, site: Site, almanac: Almanac, start: int, rules: Iterable[Rule], tick: int) -> None:
        self.zones: dict[str, Zone] = {str(name): zone for name, zone in site.zones.items()}
        self.rules: dict[str, Rule] = {str(rule.id): rule for rule in rules}
        self.world = World(almanac, start)
        self.tick = tick
        self.lives: dict[Key, Life] = {(rule, zone): Life() for rule in self.rules for zone in self.zones}
        self.told: dict[Key, list[tuple[Any, ...]]] = {key: [] for key in self.lives}

    def look(self) -> None:
        """Look at every life once."""
        for key, life in self.lives.items():
            rule = self.rules[key[0]]
            if serves(rule.trigger.condition, self.zones[key[1]]) is not False:
                self._look(key, life, rule)

    def pass_time(self, duration: int) -> None:
        """Look now and at every tick."""
        self.look()
        while duration > 0:
            self.stall(min(self.tick, duration))
            duration -= self.tick
            self.look()

    def stall(self, duration: int) -> None:
        """Let time pass without looking."""
        self.world.pass_time(duration)

    def jump(self, by: int) -> None:
        """Only the clock on the wall moves; it may be another hour or day at once."""
        self.world.wall += by
        self.look()

    def restart(self, down: int) -> None:
        """Nobody looks for a while, and what was trusted is not confirmed any more."""
        self.world.lost = False  # a hub that starts says itself whether its link is there
        self.stall(down)
        self.world.restart(down)
        self.look()

    def link(self, *, lost: bool) -> None:
        """The link goes or comes; who is told of it alone changes nothing but what is counted as silence."""
        self.world.lost = lost
        self.look()

    def edit(self, rule: Rule) -> None:
        """Close what runs under another trigger, keep what runs under the same."""
        old, self.rules[rule.id] = self.rules[rule.id], rule
        if rule.trigger != old.trigger:
            for key, life in self.lives.items():
                if key[0] == rule.id:
                    self._close(key, life, old)
        self.look()

    def _close(self, key: Key, life: Life, old: Rule) -> None:
        if life.phase == "pending" and old.trigger.hold:
            self._tell(key, "pending_dropped", "rule_changed", self.world.now - life.since)
        if life.phase == "active":
            self._tell(key, "cleared", life.activation, "rule_changed")
            if life.incident:
                self._tell(key, "incident_closed", life.activation, "rule_changed")
        self.lives[key] = Life(activation=life.activation)

    def _tell(self, key: Key, kind: str, *more: object) -> None:
        self.told[key].append((kind, self.world.wall, *more))

    def _look(self, key: Key, life: Life, rule: Rule) -> None:
        now, zone = self.world.now, self.zones[key[1]]
        if life.phase == "quiet" and now >= life.quiet_until:
            life.phase = "idle"
        if life.phase in {"idle", "pending"}:
            truth = self.world.says(rule.trigger.condition, zone)
            if life.phase == "idle" and truth is True:
                self._begin(key, life, rule)
            if life.phase == "pending":
                life.seen.append((now, truth))
                self._wait(key, life, rule)
        if life.phase == "active":
            life.seen.append((now, self.world.says(rule.clear.condition, zone)))
            self._watch(key, life, rule)

    def _begin(self, key: Key, life: Life, rule: Rule) -> None:
        life.phase, life.since, life.seen, life.held = "pending", self.world.now, [], False
        if rule.trigger.hold:
            self._tell(key, "pending_started", self.world.wall + rule.trigger.hold)

    def _wait(self, key: Key, life: Life, rule: Rule) -> None:
        now, truth = self.world.now, life.seen[-1][1]
        if truth is False or life.lost(rule.tolerate_gap):
            if rule.trigger.hold:
                reason = "opposite_edge" if truth is False else "source_unknown"
                self._tell(key, "pending_dropped", reason, now - life.since)
            life.phase = "idle"
            if truth:
                self._begin(key, life, rule)
                life.seen.append((now, True))
        due = life.since + rule.trigger.hold
        if told_by_silence(rule.trigger.condition):
            due += self.world.deaf(life.since)
        if life.phase == "pending" and truth is True and now >= due:
            zone = self.zones[key[1]]
            if all(self.world.says(condition, zone) is True for condition in rule.conditions):
                self._open(key, life, rule, 0 if life.held else now - due)
            else:
                life.held = bool(rule.trigger.hold)

    def _open(self, key: Key, life: Life, rule: Rule, late: int) -> None:
        now = self.world.now
        late = late if rule.trigger.hold else 0
        life.phase, life.began, life.since, life.seen, life.steps = "active", life.since, now, [], 0
        life.activation += 1
        began = self.world.wall - (now - life.began)
        self._tell(key, "opened", life.activation, began, late, rule.dry_run)
        self._act(key, life, rule, rule.actions, "open", voice=True)

    def _watch(self, key: Key, life: Life, rule: Rule) -> None:
        now, over = self.world.now, life.seen[-1][1]
        if over is True:
            since = life.over_since(rule.tolerate_gap)
            deaf = self.world.deaf(since) if since is not None and told_by_silence(rule.clear.condition) else 0
            if since is not None and now - since - deaf >= rule.clear.hold:
                self._clear(key, life, rule)
            return  # the driver may be gone: nothing more is said meanwhile
        blind = life.blind_at_last()
        if blind is not None and blind < rule.tolerate_gap:
            return
        steps = stages(rule)
        while life.steps < len(steps) and now >= life.since + steps[life.steps][0]:
            after, name, actions = steps[life.steps]
            life.steps += 1
            self._tell(key, "escalated", life.activation, life.steps, now - life.since - after)
            self._act(key, life, rule, actions, name, voice=over is False)

    def _clear(self, key: Key, life: Life, rule: Rule) -> None:
        self._tell(key, "cleared", life.activation, "cleared")
        self._act(key, life, rule, rule.clear.actions, "clear", voice=True)
        life.incident = False
        life.phase = "quiet" if rule.cooldown else "idle"
        life.quiet_until = self.world.now + rule.cooldown

    def _act(
        self, key: Key, life: Life, rule: Rule, actions: tuple[RuleAction, ...], step: str, *, voice: bool
    ) -> None:
        for what in actions:
            if isinstance(what, OpenIncident):
                if not life.incident and not rule.dry_run:
                    self._tell(key, "incident_opened", life.activation, str(what.severity))
                    life.incident = True
            elif isinstance(what, CloseIncident):
                if life.incident:
                    self._tell(key, "incident_closed", life.activation, "cleared")
                    life.incident = False
            elif isinstance(what, Say):
                self._say(key, life, rule, what, step, voice=voice)
            else:
                self._do(key, life, rule, step, words(what))

    def _say(self, key: Key, life: Life, rule: Rule, what: Say, step: str, *, voice: bool) -> None:
        quiet, volume = rule.quiet_hours, what.volume
        if quiet is not None and self.world.within(quiet.begin, quiet.end):
            volume = min(volume, quiet.volume)
        if not voice or not volume:
            reason = "quiet_hours" if voice else "source_unknown"
            self._tell(key, "withheld", life.activation, reason, f"say {what.text.zh} at {volume}")
            return
        minutes = max(1, (self.world.now - life.began) // MINUTE)
        text = what.text.zh.replace("{zone}", self.zones[key[1]].name.zh).replace("{minutes}", str(minutes))
        self._do(key, life, rule, step, f"say {text} at {volume}")

    def _do(self, key: Key, life: Life, rule: Rule, step: str, what: str) -> None:
        self._tell(key, "rehearsed" if rule.dry_run else "command", life.activation, step, what)
