"""What a replay only notes must not change an answer, and must be there when the engine looks."""

from __future__ import annotations

from hub.engine.replay import Replay
from hub.engine.state import EngineState
from hub.model.decision import Cleared, Opened
from hub.model.time import SECOND, Instant
from tests.kit.gate import Gate, local

START = local("2026-11-20 12:00")
RULE = "rule: watch\nzones: {kind: gate}\nactions: []\n"


def lived(rule: str, *rows: tuple[float, str, str | float], until: float = 100) -> list[tuple[str, float]]:
    """Return when the rule opened and cleared, in seconds, and the number that its trace names."""
    replay = Replay(Gate(RULE + rule).program, EngineState(), START)
    found = ((number, name, value, "good", START + round(at * SECOND)) for number, (at, name, value) in enumerate(rows))
    replay.live(found)
    replay.until(Instant(START + round(until * SECOND)))
    made = [one for one in replay.decisions if isinstance(one, Opened | Cleared)]
    return [(one.trace[0].value or "", (one.at - START) / SECOND) for one in made]


HOT = "{temperature: {above: 60, until: 55}"
LIMIT = f"trigger: {HOT}, for: 5 s}}\nclear: {{not: {HOT}}}, actions: []}}"


def test_a_number_that_passes_a_limit_is_no_repeat() -> None:
    rows = [(at, "temperature.a", value) for at, value in ((0, 20.0), (1, 59.0), (2, 61.0), (3, 56.0), (20, 54.0))]
    assert lived(LIMIT, *rows) == [("56.0", 7), ("54.0", 20)]


def test_the_engine_sees_the_number_of_then_and_not_a_later_one() -> None:
    rows = [(at, "temperature.a", value) for at, value in ((0, 61.0), (3, 62.0), (15, 63.0))]
    assert lived(LIMIT, *rows) == [("62.0", 5)]


def test_a_repeat_ends_a_silence() -> None:
    silent = "{silent: {card: 20 s}}"
    rule = f"trigger: {{any: [{silent}, {{vehicle: present}}]}}\nclear: {{not: {silent}, actions: []}}"
    rows = [(at, "card.a", "clear") for at in (0, 15, 50, 60)]
    other = (40, "vehicle.a", "absent")  # the silence was noticed by then; nothing else falls due
    assert [at for _, at in lived(rule, *rows[:2], other, *rows[2:], until=70)] == [35, 50]
