"""A report as tables, the same ones for the page, the PDF and the spreadsheet: figures with names for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hub.model.text import Text
from hub.model.time import DAY, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.journal.report import Attempts, Availability, Blocked, Figures, Judged, Spread
    from hub.model.time import Instant

#: ``share`` is 0 to 1; ``minutes`` may have a fraction.
Unit = Literal["text", "count", "share", "minutes"]
Cell = Text | int | float | None
#: Bays that are listed (DOMAIN.md, section D), and rows of any other table.
TOP_BAYS, MOST = 5, 200


class Column(msgspec.Struct, frozen=True):
    """What stands in a column."""

    id: str
    title: Text
    unit: Unit


class Table(msgspec.Struct, frozen=True):
    """One table; a cell is null where nothing is known."""

    id: str
    title: Text
    note: Text
    """How it was counted."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    bar: str = ""
    """The column that a bar shows best."""


class Naming(msgspec.Struct, frozen=True):
    """What people call the things of the figures."""

    rule: Callable[[str], Text]
    zone: Callable[[str], Text]
    entity: Callable[[str], Text]


def tables(
    found: Figures, names: Naming, now: Instant | None = None, facades: frozenset[str] = frozenset()
) -> tuple[Table, ...]:
    """Put the figures into tables; how far evidence goes back is told from ``now``, what fell of ``facades``."""
    fallen = tuple(row for row in found.zones if row.name in facades)
    return (
        _judged("rules", Text("各规则的告警", "Alarms by rule"), found.rules, names.rule, found.total),
        _judged("zones", Text("各防区的误报", "False alarms by zone"), found.zones, names.zone),
        _judged("devices", Text("各设备的误报", "False alarms by device"), found.devices, _as_is),
        _answers(found),
        *(
            (_judged("falling", Text("高空抛物的审核", "Falling objects: reviews"), fallen, names.zone),)
            if facades
            else ()
        ),
        _blocked("lanes", Text("消防通道被占时间", "Fire lanes: time blocked"), found.lanes, names.zone),
        _blocked("bays", Text("占用最多的车位", "Bays blocked longest"), found.bays[:TOP_BAYS], names.entity),
        _blocked(
            "doors",
            Text("门开着的时间", "Doors: time open"),
            found.doors,
            names.zone,
            Text("开着（分钟）", "Open (min)"),
        ),
        _ebikes(found.ebikes, names.zone),
        _availability(found.availability, found.down),
        *(() if now is None else (_kept(found, names.zone, now),)),
        _looked(found.viewed, found.exported),
        _unrecorded(),
    )


def _judged(
    name: str, title: Text, rows: tuple[Judged, ...], named: Callable[[str], Text], total: Judged | None = None
) -> Table:
    columns = (
        Column("name", Text("名称", "Name"), "text"),
        Column("alarms", Text("告警", "Alarms"), "count"),
        Column("valid", Text("有效", "Valid"), "count"),
        Column("false", Text("误报", "False"), "count"),
        Column("unreviewed", Text("未核实", "Unreviewed"), "count"),
        Column("false_share", Text("误报率", "False share"), "share"),
    )
    note = Text("误报率只按已核实的告警计算。", "The false share is that of the alarms that somebody judged.")
    lines = [_judged_row(row, named(row.name)) for row in rows[:MOST]]
    if total is not None:
        lines.append(_judged_row(total, Text("合计", "Total")))
    return Table(name, title, note, columns, tuple(lines), bar="alarms")


def _judged_row(row: Judged, name: Text) -> tuple[Cell, ...]:
    judged = row.valid + row.false
    return (name, row.alarms, row.valid, row.false, row.unreviewed, row.false / judged if judged else None)


def _answers(found: Figures) -> Table:
    columns = (
        Column("name", Text("步骤", "Step"), "text"),
        Column("count", Text("次数", "Count"), "count"),
        Column("p50", Text("中位数（分钟）", "Median (min)"), "minutes"),
        Column("p95", Text("95% 以内（分钟）", "95th percentile (min)"), "minutes"),
    )
    rows: tuple[tuple[Cell, ...], ...] = (
        _step(Text("响应", "Answered"), found.answered),
        _step(Text("开始处理", "Begun"), found.begun),
        _step(Text("关闭", "Closed"), found.closed),
        (Text("升级", "Escalations"), found.escalations, None, None),
    )
    note = Text(
        "从告警到有人第一次响应、到有人按“开始处理”、到事件关闭。",
        "From the alarm until a person first acted, until one said that he begins, and until it was closed.",
    )
    return Table("answers", Text("响应时间", "Time to answer"), note, columns, rows)


def _step(name: Text, spread: Spread) -> tuple[Cell, ...]:
    return (name, spread.count, _minutes(spread.p50), _minutes(spread.p95))


#: What people expect of such a report (DOMAIN.md, section D) and no fact of the journal says, with what would say it.
_MISSING = (
    (Text("到场用时", "Time on site"),
     Text("到场签到（巡更点、二维码或 NFC）；“开始处理”只说明有人动手",
          "a check-in on the spot (patrol point, QR or NFC); “begun” says only that somebody acts")),
    (Text("电动车劝返率", "E-bikes turned back"),
     Text("轿厢楼层，或各层厅门处的识别：电动车在哪一层离开",
          "the floor of the car, or sight at the landing doors: where the e-bike left")),
    (Text("巡更完成率", "Patrol completion"), Text("巡更打卡的接入", "an integration of patrol check-ins")),
    (Text("无盗窃天数", "Days without theft"), Text("警情或报案的登记", "a register of reports to the police")),
)  # fmt: skip


def _unrecorded() -> Table:
    columns = (
        Column("name", Text("指标", "Figure"), "text"),
        Column("value", Text("数值", "Value"), "text"),
        Column("source", Text("由什么记录", "What would record it"), "text"),
    )
    rows = tuple((name, Text("未记录", "not recorded"), source) for name, source in _MISSING)
    note = Text("没有事实依据的指标不估算。", "What no fact says is not estimated.")
    return Table("unrecorded", Text("未记录的指标", "Figures that nothing records"), note, columns, rows)


def _blocked(
    name: str,
    title: Text,
    rows: tuple[Blocked, ...],
    named: Callable[[str], Text],
    what: Text = Text("被占（分钟）", "Blocked (min)"),  # noqa: B008 - frozen
) -> Table:
    columns = (
        Column("name", Text("名称", "Name"), "text"),
        Column("blocked", what, "minutes"),
        Column("known", Text("有可信数据（分钟）", "Sensors trusted (min)"), "minutes"),
    )
    note = Text(
        "传感数据不可信或主机停机的时间不计入。",
        "Time in which no sensor was trusted, or the hub was down, is left out.",
    )
    lines = tuple((named(row.name), _minutes(row.blocked), _minutes(row.known)) for row in rows[:MOST])
    return Table(name, title, note, columns, lines, bar="blocked")


def _ebikes(rows: tuple[Attempts, ...], named: Callable[[str], Text]) -> Table:
    columns = (
        Column("name", Text("电梯", "Lift"), "text"),
        Column("count", Text("次数", "Attempts"), "count"),
    )
    note = Text("多条规则同时发现的算一次。", "What several rules saw at the same time counts once.")
    lines = tuple((named(row.name), row.count) for row in rows[:MOST])
    return Table("ebikes", Text("电动车进电梯", "E-bikes taken into lifts"), note, columns, lines, bar="count")


def _availability(rows: tuple[Availability, ...], down: int) -> Table:
    columns = (
        Column("name", Text("设备", "Device"), "text"),
        Column("share", Text("在线率", "Available"), "share"),
        Column("silent", Text("离线（分钟）", "Not heard (min)"), "minutes"),
    )
    minutes = round(down / MINUTE, 1)
    note = Text(
        f"设备首次上报之后、主机运行期间，至少一个测点可信的时间占比；主机停机 {minutes:g} 分钟。",
        "Share of the time since it was first heard, and in which the hub ran, with a trusted entity at least; "
        f"the hub was down for {minutes:g} min.",
    )
    lines = tuple(
        (_as_is(row.name), row.share, _minutes(row.known - row.good) if row.known else None) for row in rows[:MOST]
    )
    return Table("availability", Text("设备在线率", "Device availability"), note, columns, lines, bar="share")


def _kept(found: Figures, named: Callable[[str], Text], now: Instant) -> Table:
    columns = (
        Column("name", Text("防区", "Zone"), "text"),
        Column("files", Text("证据文件", "Files"), "count"),
        Column("days", Text("最早一份（天前）", "Oldest (days ago)"), "count"),
    )
    note = Text("现存的全部证据，不限于本期。", "All evidence there is, not only of this period.")
    lines = tuple((named(row.name), row.files, max(0, now - row.oldest) // DAY) for row in found.evidence[:MOST])
    return Table("evidence", Text("证据留存", "Evidence kept"), note, columns, lines)


def _looked(viewed: int, exported: int) -> Table:
    columns = (Column("name", Text("操作", "What"), "text"), Column("count", Text("次数", "Count"), "count"))
    note = Text("谁看过哪一份，见操作记录。", "The audit trail says who looked at which.")
    lines: tuple[tuple[Cell, ...], ...] = (
        (Text("查看证据", "Evidence viewed"), viewed), (Text("导出证据", "Evidence exported"), exported)
    )  # fmt: skip
    return Table("looked", Text("证据的查看与导出", "Evidence: views and exports"), note, columns, lines)


def _as_is(name: str) -> Text:
    return Text(name, name)


def _minutes(duration: int | None) -> float | None:
    return None if duration is None else round(duration / MINUTE, 1)
