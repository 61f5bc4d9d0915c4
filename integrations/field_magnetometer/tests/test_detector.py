"""The detector on generated traces: how many minutes it is wrong, and each trap by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest

from hub.sdk import Presence
from integrations.field_magnetometer.baseline import Baseline
from integrations.field_magnetometer.detector import Detector, Limits
from integrations.field_magnetometer.tests.traces import DAY, HOUR, MINUTE, START, Scene, Stay, Vector

EARTH = np.array([30.0, -5.0, 40.0])
CAR, BESIDE = np.array([5.0, -8.0, 25.0]), np.array([4.0, 0.0, 4.0])


def minutes(scene: Scene, detector: Detector) -> Counter[str]:
    """Compare what is said with what is so at the end of every minute."""
    counted: Counter[str] = Counter()
    for at, field, temperature, parked in scene.samples():
        detector.update((field[0], field[1], field[2]), at, temperature)
        if at % MINUTE == 0:
            truth = Presence.PRESENT if parked else Presence.ABSENT
            said = detector.presence
            counted["unknown" if said is None else "right" if said is truth else "wrong"] += 1
    return counted


class Bay:
    """A bay without noise, told step by step."""

    def __init__(self, limits: Limits = Limits(), baseline: Baseline | None = None) -> None:  # noqa: B008 - frozen
        self.detector = Detector(limits, baseline)
        self.at = START

    def see(self, field: Vector, seconds: float, every: float = 10.0, temperature: float | None = 20.0) -> list[str]:
        """Show ``field`` for a time; return the different things said, in order."""
        said: list[str] = []
        for _ in range(round(seconds / every)):
            self.at += every
            word = str(self.detector.update((field[0], field[1], field[2]), self.at, temperature))
            if said[-1:] != [word]:
                said.append(word)
        return said

    def marked(self) -> Bay:
        """Let a person say that it is empty."""
        self.detector.mark_empty()
        self.see(EARTH, 5 * MINUTE)
        assert self.detector.presence is Presence.ABSENT
        return self


def test_three_days_of_parking() -> None:
    """The figure in docs/integrations/parking.md; half a minute of delay at each coming and going is in it."""
    total: Counter[str] = Counter()
    for seed in range(300, 306):
        detector = Detector(Limits())
        detector.mark_empty()
        counted = minutes(Scene(seed), detector)
        assert counted["unknown"] <= 5
        total += counted
    assert total.total() == 6 * 3 * 24 * 60
    assert total["wrong"] <= 0.003 * total.total()


def test_three_days_that_nobody_marked() -> None:
    """Rather unknown for a day than wrong."""
    counted = minutes(Scene(300), Detector(Limits()))
    assert counted["right"] > counted["unknown"] > 0
    assert counted["wrong"] <= 0.01 * counted.total()


def test_three_days_behind_a_car_and_25_kelvin() -> None:
    """The drift goes on while the bay is taken; when the car leaves, the bay is free."""
    parked = [Stay(30 * HOUR, 102 * HOUR, CAR)]
    scene = Scene(7, days=5, parked=parked, passing_a_day=40, lorries=False, beside_ut=(0.5, 3.0))
    detector = Detector(Limits())
    detector.mark_empty()
    assert minutes(scene, detector)["wrong"] <= 3


def test_unknown_until_the_baseline_is_sure() -> None:
    bay = Bay()
    assert bay.see(EARTH + CAR, 2 * HOUR) == ["None"]
    assert bay.see(EARTH + CAR + BESIDE, HOUR) == ["None"]
    assert bay.see(EARTH + CAR, HOUR) == ["None"], "a car beside a parked car has come and gone: nothing is known"
    assert bay.see(EARTH, HOUR) == ["None"]
    assert bay.see(EARTH - CAR, HOUR) == ["None"]
    assert bay.see(EARTH, HOUR) == ["None", "absent"]
    assert bay.see(EARTH + CAR, HOUR) == ["absent", "present"]


def test_a_restless_field_is_no_baseline() -> None:
    bay = Bay()
    bay.detector.mark_empty()
    for turn in range(200):
        bay.see(EARTH + (turn % 2) * CAR, 10)
    assert bay.detector.presence is None


def test_a_passing_car_is_not_parked() -> None:
    bay = Bay().marked()
    assert bay.see(EARTH + CAR, 20) == ["absent"]
    assert bay.see(EARTH, 60) == ["absent"]
    assert bay.see(EARTH + CAR, 60) == ["absent", "present"]
    assert bay.see(EARTH, 20) == ["present"]
    assert bay.see(EARTH + CAR, 60) == ["present"]
    assert bay.see(EARTH, 60) == ["present", "absent"]


def test_thresholds_have_a_gap() -> None:
    bay = Bay().marked()
    between = np.array([0.0, 0.0, 10.0])
    assert bay.see(EARTH + between, HOUR) == ["absent"]
    bay.see(EARTH + 1.3 * between, HOUR)
    assert bay.see(EARTH + between, HOUR) == ["present"]
    assert bay.see(EARTH + 0.6 * between, HOUR) == ["present", "absent"]


def test_a_lorry_beside_the_bay_is_neither_parked_nor_drift() -> None:
    bay = Bay().marked()
    lorry = np.array([0.0, 6.0, 0.0])
    assert bay.see(EARTH + lorry, 8 * HOUR) == ["absent"]
    assert bay.detector.baseline is not None
    assert bay.detector.baseline.deviation(EARTH, 20.0) < 2
    assert bay.see(EARTH + lorry + CAR, HOUR) == ["absent", "present"]
    assert bay.see(EARTH, HOUR) == ["present", "absent"]


def test_a_car_that_leaves_while_a_lorry_came() -> None:
    bay = Bay().marked()
    assert bay.see(EARTH + 1.5 * CAR, HOUR)[-1] == "present"
    lorry = np.array([0.0, 9.0, 0.0])
    bay.see(EARTH + 1.5 * CAR + lorry, HOUR)
    assert bay.see(EARTH + lorry, HOUR) == ["present", "absent"]


def test_a_new_lamp_post_is_the_new_normal() -> None:
    bay = Bay().marked()
    post = np.array([0.0, 6.0, 0.0])
    bay.see(EARTH + post, 21 * DAY, every=300)
    assert bay.detector.baseline is not None
    assert bay.detector.baseline.deviation(EARTH + post, 20.0) < 3


def test_saturation_is_unknown_and_what_follows_has_to_last() -> None:
    bay = Bay().marked()
    assert bay.see(np.array([0.0, -800.0, 0.0]), 60) == ["None"]
    assert bay.detector.deviation is None
    assert bay.see(EARTH, 60) == ["None", "absent"]


def test_older_samples_change_nothing() -> None:
    bay = Bay().marked()
    at = bay.at
    bay.at = at - HOUR
    assert bay.see(EARTH + CAR, HOUR) == ["absent"]
    assert bay.at == at
    assert bay.see(EARTH + CAR, 60)[-1] == "present"


def test_a_kept_baseline_decides_at_once() -> None:
    bay = Bay().marked()
    assert bay.detector.baseline is not None
    kept = Baseline.restored(bay.detector.baseline.stored())
    again = Bay(baseline=kept)
    again.at = bay.at + 2 * DAY
    assert again.see(EARTH + CAR, MINUTE) == ["None", "present"]


def test_without_temperature() -> None:
    bay = Bay()
    bay.detector.mark_empty()
    assert bay.see(EARTH, 10 * MINUTE, temperature=None) == ["None", "absent"]
    assert bay.see(EARTH + CAR, 10 * MINUTE, temperature=None) == ["absent", "present"]
    assert bay.see(EARTH, 10 * MINUTE) == ["present", "absent"]


@pytest.mark.parametrize("every", [0.2, 600.0])
def test_fast_and_slow_nodes(every: float) -> None:
    bay = Bay()
    bay.detector.mark_empty()
    assert bay.see(EARTH, max(400, 6 * every), every) == ["None", "absent"]
    assert bay.see(EARTH + CAR, max(60, 3 * every), every) == ["absent", "present"]


def test_the_filter_stays_sound_for_years() -> None:
    bay = Bay().marked()
    assert bay.detector.baseline is not None
    for day in range(3 * 365):
        bay.see(EARTH + 0.1 * (day % 25), DAY, every=6 * HOUR, temperature=float(day % 25))
    covariance = bay.detector.baseline.covariance
    assert np.all(np.linalg.eigvalsh(covariance) > 0)
    assert Baseline.restored(bay.detector.baseline.stored()) is not None
    slope: Iterable[float] = bay.detector.baseline.model[1].tolist()
    assert list(slope) == pytest.approx([0.1, 0.1, 0.1], abs=0.03)
