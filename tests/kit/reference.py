"""The semantics of DESIGN.md section 6 once more: slow, obvious, and independent of hub/engine.

It looks at every lane after every event and at every second, keeps all it has seen of a life, and works each answer
out anew from that. It runs on time that never jumps; what a person reads on the clock is added at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.kit.clock import START
from tests.kit.lane import CAR, DOOR, LANE, LEFT, OTHER, RIGHT, RULE, WIDE, Plan

S = 1_000_000
BOUND: dict[str, tuple[str, ...]] = {LANE: (CAR,), WIDE: (LEFT, RIGHT)}
Truth = bool | None


@dataclass
class World:
    """What is known of the sensors: value, and whether it can be trusted now."""

    known: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    maintenance: bool = False

    def hear(self, name: str, value: str | None, quality: str) -> None:
        """A reading without a value says only how far the last one can be trusted; what is unknown has no value."""
        if value is None:
            value = self.known.get(name, (None, ""))[0]
        self.known[name] = (None, "unknown") if value is None or quality == "unknown" else (value, quality)

    def trusted(self, name: str) -> str | None:
        """Return a value that can be relied on."""
        value, quality = self.known.get(name, (None, "unknown"))
        return value if quality == "good" else None

    def occupied(self, zone: str) -> Truth:
        """One trusted sensor that sees a car is enough; that there is none needs all of them."""
        seen = [self.trusted(name) for name in BOUND[zone]]
        if "present" in seen:
            return True
        return None if None in seen else False

    def allowed(self, plan: Plan) -> bool:
        """All conditions are known to hold."""
        return not (plan.quiet and self.maintenance) and not (plan.closed and self.trusted(DOOR) != "closed")


@dataclass
class Life:
    """One rule in one zone."""

    phase: str = "idle"
    since: int = 0
    """When the car came (pending), when the warning began (active)."""
    seen: list[tuple[int, Truth]] = field(default_factory=list)
    """Every look since then: when, and whether there was a car."""
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

    def gone_since(self, gap: int) -> int | None:
        """Return since when the car is gone without a contradiction; too long a blindness begins it anew."""
        start = blind = None
        for at, truth in self.seen:
            if truth is None:
                blind = at if blind is None else blind
            if blind is not None and at - blind >= gap:
                start = None
            if truth is not None:
                blind = None
                start = None if truth else at if start is None else start
        return start


class Reference:
    """All lives, and what was decided about each, as ``(kind, clock time, …)``."""

    def __init__(self, **plans: Plan) -> None:
        self.plans = plans
        self.world = World()
        self.now = 0
        self.offset = int(START)
        self.lives: dict[tuple[str, str], Life] = {(rule, zone): Life() for rule in (RULE, OTHER) for zone in BOUND}
        self.told: dict[tuple[str, str], list[tuple[Any, ...]]] = {key: [] for key in self.lives}

    def look(self) -> None:
        """Look at every life once."""
        for key, life in self.lives.items():
            if key[0] in self.plans:
                self._look(key, life, self.plans[key[0]])

    def pass_time(self, duration: int) -> None:
        """Look now and at every second."""
        self.look()
        end = self.now + duration
        while self.now < end:
            self.now = min(self.now + S, end)
            self.look()

    def restart(self, down: int) -> None:
        """What was trusted is not confirmed any more."""
        self.now += down
        self.world.known = {name: (v, "stale" if q == "good" else q) for name, (v, q) in self.world.known.items()}
        self.look()

    def edit(self, rule: str, plan: Plan | None) -> None:
        """Close what runs under another trigger, keep what runs under the same."""
        old = self.plans.pop(rule, None)
        if plan is not None:
            self.plans[rule] = plan
        if old is not None and (plan is None or plan.hold != old.hold):
            for key, life in self.lives.items():
                if key[0] == rule:
                    self._close(key, life, old)
        self.look()

    def _close(self, key: tuple[str, str], life: Life, old: Plan) -> None:
        if life.phase == "pending" and old.hold:
            self._tell(key, "pending_dropped", "rule_changed", self.now - life.since)
        if life.phase == "active":
            self._tell(key, "cleared", life.activation, "rule_changed")
            if life.incident:
                self._tell(key, "incident_closed", life.activation, "rule_changed")
        self.lives[key] = Life(activation=life.activation)

    def _tell(self, key: tuple[str, str], kind: str, *more: object) -> None:
        self.told[key].append((kind, self.now + self.offset, *more))

    def _look(self, key: tuple[str, str], life: Life, plan: Plan) -> None:
        occupied = self.world.occupied(key[1])
        if life.phase == "quiet" and self.now >= life.quiet_until:
            life.phase = "idle"
        if life.phase == "idle" and occupied is True:
            self._begin(key, life, plan)
        if life.phase == "pending":
            life.seen.append((self.now, occupied))
            self._wait(key, life, plan)
        if life.phase == "active":
            life.seen.append((self.now, occupied))
            self._watch(key, life, plan)

    def _begin(self, key: tuple[str, str], life: Life, plan: Plan) -> None:
        life.phase, life.since, life.seen, life.held = "pending", self.now, [], False
        if plan.hold:
            self._tell(key, "pending_started", self.now + self.offset + plan.hold * S)

    def _wait(self, key: tuple[str, str], life: Life, plan: Plan) -> None:
        occupied = life.seen[-1][1]
        due = life.since + plan.hold * S
        if occupied is False or life.lost(plan.gap * S):
            if plan.hold:
                reason = "opposite_edge" if occupied is False else "source_unknown"
                self._tell(key, "pending_dropped", reason, self.now - life.since)
            life.phase = "idle"
            if occupied:
                self._begin(key, life, plan)
                life.seen.append((self.now, True))
                due = life.since + plan.hold * S
        if life.phase == "pending" and occupied is True and self.now >= due:
            if not self.world.allowed(plan):
                life.held = True
            else:
                self._open(key, life, plan, 0 if life.held else self.now - due)

    def _open(self, key: tuple[str, str], life: Life, plan: Plan, late: int) -> None:
        since = life.since + self.offset
        life.phase, life.since, life.seen, life.steps = "active", self.now, [], 0
        life.activation += 1
        self._tell(key, "opened", life.activation, since, late)
        self._tell(key, "command", life.activation, "open", "capture")
        self._tell(key, "command", life.activation, "open", f"say first at {plan.volume}")
        self._tell(key, "incident_opened", life.activation, "high")
        life.incident = True

    def _watch(self, key: tuple[str, str], life: Life, plan: Plan) -> None:
        occupied = life.seen[-1][1]
        if occupied is False:
            gone = life.gone_since(plan.gap * S)
            if gone is not None and self.now - gone >= plan.clear_hold * S:
                self._clear(key, life, plan)
            return  # the driver may be gone: nothing more is said meanwhile
        blind = life.blind_at_last()
        if blind is not None and blind < plan.gap * S:
            return
        while life.steps < len(plan.steps) and self.now >= life.since + plan.steps[life.steps] * S:
            late = self.now - life.since - plan.steps[life.steps] * S
            life.steps += 1
            self._tell(key, "escalated", life.activation, life.steps, late)
            text = f"say step {life.steps} at {plan.volume}"
            if occupied:
                self._tell(key, "command", life.activation, str(life.steps), text)
            else:
                self._tell(key, "withheld", life.activation, "source_unknown", text)
            self._tell(key, "command", life.activation, str(life.steps), "notify guard")

    def _clear(self, key: tuple[str, str], life: Life, plan: Plan) -> None:
        self._tell(key, "cleared", life.activation, "cleared")
        self._tell(key, "command", life.activation, "clear", "capture")
        self._tell(key, "incident_closed", life.activation, "cleared")
        life.incident = False
        life.phase = "quiet" if plan.cooldown else "idle"
        life.quiet_until = self.now + plan.cooldown * S
