"""How a notice is said, and how often a service may be used."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Text, Window
from tests.kit.notifiers import NOTICE, TOLD


def test_a_notice_is_one_line_in_the_time_of_the_place() -> None:
    assert NOTICE.line(200) == (
        "【幸福里小区】3号楼北侧消防通道：车辆占道，请到现场处理。"
        "（3号楼北侧消防通道，规则 fire_lane_blocked，北京时间 2026-11-21 00:03:09）"
    )
    assert all(part in NOTICE.line(200) for part in TOLD)
    assert "2026-11-20T16:03:09.250Z" in msgspec.structs.replace(NOTICE, local="").line(200)


@given(st.text(st.characters()), st.integers(10, 300))
def test_any_text_makes_a_printable_line(text: str, limit: int) -> None:
    line = msgspec.structs.replace(NOTICE, text=Text(zh=text)).line(limit)
    assert line.isprintable()
    assert 0 < len(line) <= limit


def test_window() -> None:
    window = Window(2, 60)
    assert window.wait(0) == 0
    window.take(0)
    window.take(10)
    assert (window.wait(10), window.wait(59), window.wait(60), window.wait(100)) == (50, 1, 0, 0)
    window.take(60)
    assert (window.wait(60), window.wait(69.5), window.wait(70)) == (10, 0.5, 0)


@given(st.lists(st.floats(0, 30), max_size=60))
def test_never_more_than_the_count_in_any_window(gaps: list[float]) -> None:
    window, now, taken = Window(5, 60), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if not window.wait(now):
            window.take(now)
            taken.append(now)
    assert all(later - earlier >= 60 for earlier, later in zip(taken, taken[5:], strict=False))
