"""The rounds that the shipped rule asks for, on the site's own clocks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from hub.config.site import load_site
from hub.engine.rule import Rule
from hub.model.period import Span, read_period
from hub.model.site import Site
from hub.model.time import MINUTE, SECOND
from hub.web.rounds import rounds_of
from tests.kit.site import ROOT
from tests.unit.config.test_site import GOOD, write

SHIPPED = (ROOT / "rules" / "patrol_missed.yaml").read_text("utf-8")


def loaded(folder: Path, rule: str = SHIPPED) -> tuple[Site, Rule]:
    folder.mkdir(exist_ok=True)
    more = (
        "  wall: {kind: perimeter, name: 围墙, bind: {checkpoint: mqtt_discovery.point}}\n"
        "  bare: {kind: perimeter, name: 后墙, bind: {person: mqtt_discovery.person}}\n"
    )
    settings = GOOD.replace("zones:\n", f"zones:\n{more}")
    settings = settings.replace("contacts: {", 'contacts: {manager: {name: 经理, webhook: "http://127.0.0.1:9/x"}, ')
    site = load_site(write(folder, settings, patrol_missed=rule))
    (found,) = site.rules
    return site.settings.site, found


def test_one_round_a_day_that_ends_when_the_rule_looks(tmp_path: Path) -> None:
    site, rule = loaded(tmp_path)
    found = rounds_of([rule], site, read_period(Span.MONTH, "2026-11"))
    assert list(found) == ["wall"], "a zone without a point has no rounds"
    assert len(found["wall"]) == 30
    first = found["wall"][0]
    assert first.end - first.begin == 71 * MINUTE
    assert f"{datetime.fromtimestamp(first.end / SECOND, ZoneInfo('Asia/Shanghai')):%F %H:%M}" == "2026-11-01 02:10"


def test_what_is_off_or_of_another_shape_asks_for_none(tmp_path: Path) -> None:
    site, rule = loaded(tmp_path)
    month = read_period(Span.MONTH, "2026-11")
    assert rounds_of([msgspec.structs.replace(rule, enabled=False)], site, month) == {}
    site, other = loaded(tmp_path / "b", SHIPPED.replace("times: 1,", "times: 2,"))
    assert rounds_of([other], site, month) == {}
