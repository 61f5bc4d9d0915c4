"""The order of a roll-out, whatever happens to its nodes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.rollout import AT_ONCE, TRIES, Outcome, Rollout, Stand, Window, begin, ended, limit, step, stop
from firmware_bridge.tests import STEADY
from hub.model.time import Instant

LATER = Instant(1_000)
ENDS = [Stand.DONE] * 20 + [Stand.FAILED] * 3 + [Stand.REVERTED]


def nodes(count: int) -> tuple[str, ...]:
    return tuple(f"n{number}" for number in range(count))


def check(rollout: Rollout) -> None:
    updating, done = rollout.count(Stand.UPDATING), rollout.count(Stand.DONE)
    assert updating <= AT_ONCE
    assert updating + done <= limit(len(rollout.nodes), done) or done > limit(len(rollout.nodes), done - 1)


@STEADY
@given(st.integers(1, 60), st.integers(0, 2**32))
def test_whatever_happens_it_goes_by_waves_and_stops_at_the_first_revert(count: int, seed: int) -> None:
    chance = random.Random(seed)
    rollout, under_way, reverted = begin(nodes(count), LATER), list[str](), False
    for _ in range(count * TRIES + 20):
        busy = {name for name in rollout.nodes if chance.random() < 0.1}
        rollout, begun = step(rollout, Instant(0), lambda name, busy=busy: "busy" if name in busy else "")  # type: ignore[misc]
        assert not (reverted and begun)
        assert not busy & set(begun)
        under_way += begun
        assert sorted(under_way) == sorted(n for n, one in rollout.nodes.items() if one.stand is Stand.UPDATING)
        check(rollout)
        if not under_way:
            if rollout.outcome is not Outcome.RUNNING:
                break
            continue
        name = under_way.pop(chance.randrange(len(under_way)))
        stand = chance.choice(ENDS)
        rollout = ended(rollout, name, stand, "so")
        reverted |= stand is Stand.REVERTED
        assert (rollout.outcome is Outcome.STOPPED) is reverted
    assert all(one.tries <= TRIES for one in rollout.nodes.values())
    assert reverted or rollout.outcome in {Outcome.DONE, Outcome.RUNNING}


@pytest.mark.parametrize(("total", "waves"), [(1, [1]), (5, [1, 1, 3]), (20, [1, 2, 17]), (200, [1, 20, 179])])
def test_the_waves_of_a_fleet(total: int, waves: list[int]) -> None:
    rollout, sizes = begin(nodes(total), LATER), []
    while rollout.outcome is Outcome.RUNNING:
        allowed = limit(total, done := rollout.count(Stand.DONE))
        sizes.append(allowed - done)
        while rollout.count(Stand.DONE) < allowed:
            rollout, begun = step(rollout, Instant(0), lambda _: "")
            assert begun
            for name in begun:
                rollout = ended(rollout, name, Stand.DONE)
    assert sizes == waves
    assert rollout.outcome is Outcome.DONE


def test_a_node_that_must_wait_lets_another_go_first_and_says_why() -> None:
    rollout, begun = step(begin(nodes(3), LATER), Instant(0), lambda name: "battery at 12 %" if name == "n0" else "")
    assert begun == ("n1",)
    assert rollout.nodes["n0"].reason == "battery at 12 %"


def test_one_that_fails_by_its_link_is_tried_again_and_left_out_in_the_end() -> None:
    rollout = begin(nodes(1), LATER)
    for _ in range(TRIES):
        rollout, begun = step(rollout, Instant(0), lambda _: "")
        assert begun == ("n0",)
        rollout = ended(rollout, "n0", Stand.FAILED, "gone")
    assert rollout.outcome is Outcome.DONE
    assert rollout.nodes["n0"].stand is Stand.FAILED
    assert "1 of 1" in rollout.reason


def test_time_is_over_and_a_person_stops() -> None:
    assert step(begin(nodes(2), LATER), LATER, lambda _: "")[0].outcome is Outcome.EXPIRED
    stopped = stop(begin(nodes(2), LATER), "by zhang")
    assert step(stopped, Instant(0), lambda _: "") == (stopped, ())
    assert begin((), LATER).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (Window(60, 300), (60, 299), (59, 300)),
        (Window(1380, 120), (1380, 0, 119), (120, 1379)),
        (Window(), (0, 1439), ()),
    ],
)
def test_windows(window: Window, inside: tuple[int, ...], outside: tuple[int, ...]) -> None:
    assert all(window.holds(minute) for minute in inside)
    assert not any(window.holds(minute) for minute in outside)
