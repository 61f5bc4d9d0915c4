"""The life of an incident in people's hands, as a table: what may follow what, and what a step must say."""

from __future__ import annotations

import pytest

from hub.model.incident import Handling, IncidentState, Verdict, may_follow
from hub.model.text import names_plate
from tests.kit.clock import START
from tests.kit.facts import NAME

OPEN, KNOWN, WORK, CLOSED = IncidentState
#: From each row's state to open, acknowledged, in progress, closed.
TABLE = {
    OPEN: (False, True, True, True),
    KNOWN: (False, False, True, True),
    WORK: (False, False, False, True),
    CLOSED: (False, False, False, True),
}


def step(state: IncidentState, verdict: Verdict | None = None, note: str = "") -> Handling:
    return Handling(NAME, state, START, "王师傅", verdict, note)


@pytest.mark.parametrize("before", IncidentState)
@pytest.mark.parametrize("after", IncidentState)
def test_each_cell_of_the_life(before: IncidentState, after: IncidentState) -> None:
    taken = step(after, Verdict.RESOLVED if after is CLOSED else None)
    assert may_follow(before, None, taken) == TABLE[before][list(IncidentState).index(after)]


def test_what_was_judged_stays_judged() -> None:
    assert may_follow(CLOSED, None, step(CLOSED, Verdict.REPAIR)), "a rule's own closing is judged afterwards"
    assert not may_follow(CLOSED, Verdict.RESOLVED, step(CLOSED, Verdict.REPAIR))


@pytest.mark.parametrize(
    ("state", "verdict", "note", "complete"),
    [
        (KNOWN, None, "", True),
        (KNOWN, None, "马上去看", True),
        (KNOWN, Verdict.RESOLVED, "", False),
        (CLOSED, None, "走了", False),
        (CLOSED, Verdict.RESOLVED, "", True),
        (CLOSED, Verdict.REPAIR, "", True),
        (CLOSED, Verdict.FALSE_ALARM, "", False),
        (CLOSED, Verdict.FALSE_ALARM, "树影", True),
    ],
)
def test_what_a_step_must_say(state: IncidentState, verdict: Verdict | None, note: str, *, complete: bool) -> None:
    assert step(state, verdict, note).complete == complete


@pytest.mark.parametrize(
    "text", ["沪A12345请移车", "沪 A·12345", "粤b-d12345 请移车", "车牌沪Ａ１２３４５", "京AD12345"]
)
def test_a_full_plate_is_seen(text: str) -> None:
    assert names_plate(text)


@pytest.mark.parametrize("text", ["尾号345的车主请移车", "请3号楼A座的车主移车", "A12345", "沪A牌照的车请移车", ""])
def test_what_is_no_plate(text: str) -> None:
    assert not names_plate(text)
