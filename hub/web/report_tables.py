"""A report as tables, the same ones for the page, the PDF and the spreadsheet: figures with names for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hub.model.incident import Verdict
from hub.model.text import Text
from hub.model.time import DAY, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.journal.measures import Ended, Patrol, People, Told
    from hub.journal.report import Availability, Blocked, Figures, Judged
    from hub.journal.spread import Spread
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
    contact: Callable[[str], Text]
    batteries: frozenset[str] = frozenset()
    """The devices that told the state of a battery."""


def tables(
    found: Figures, names: Naming, now: Instant | None = None, facades: frozenset[str] = frozenset()
) -> tuple[Table, ...]:
    """Put the figures into tables; how far evidence goes back is told from ``now``, what fell of ``facades``."""
    fallen = tuple(row for row in found.zones if row.name in facades)
    return (
        _judged("rules", Text("各规则的告警", "Alarms by rule"), found.rules, names.rule, found.total),
        _judged("zones", Text("各防区的误报", "False alarms by zone"), found.zones, names.zone),
        _judged("devices", Text("各设备的误报", "False alarms by device"), found.devices, _as_is),
        _ended(found.people.ended),
        _answers(found),
        _told(found.people.told, names.contact),
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
        _ebikes(found, names.zone),
        *((_patrols(found.people.patrols, names.zone),) if found.people.patrols else ()),
        _availability(found.availability, found.down, names.batteries),
        *(() if now is None else (_kept(found, names.zone, now), _filmed(found, names.entity, now))),
        _looked(found.viewed, found.exported),
        _unrecorded(found.people),
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
        *(() if found.people.on_site is None else (_step(Text("到场", "On site"), found.people.on_site),)),
        _step(Text("关闭", "Closed"), found.closed),
        (Text("升级", "Escalations"), found.escalations, None, None),
    )
    note = Text(
        "从告警到有人第一次响应、到有人按“开始处理”、到本防区巡更点有人打卡（到场）、到事件关闭。",
        "From the alarm until a person first acted, until one said that he begins, until a patrol point of the zone "
        "was read (on site), and until it was closed.",
    )
    return Table("answers", Text("响应时间", "Time to answer"), note, columns, rows)


def _step(name: Text, spread: Spread) -> tuple[Cell, ...]:
    return (name, spread.count, _minutes(spread.p50), _minutes(spread.p95))


def _ended(rows: tuple[Ended, ...]) -> Table:
    columns = (
        Column("name", Text("结论", "Verdict"), "text"),
        Column("count", Text("事件", "Incidents"), "count"),
        Column("share", Text("占比", "Share"), "share"),
    )
    total = sum(row.count for row in rows)
    lines = tuple((_VERDICT[row.verdict], row.count, row.count / total if total else None) for row in rows)
    note = Text(
        "本期开始的事件，按人员关闭时选的结论。", "Incidents that began in the period, by the word of a person."
    )
    return Table("ended", Text("事件的结论", "How incidents ended"), note, columns, lines, bar="count")


_VERDICT = {
    Verdict.RESOLVED: Text("已解决", "Resolved"), Verdict.FALSE_ALARM: Text("误报", "False alarm"),
    Verdict.REPAIR: Text("报修", "Needs repair"), None: Text("未核实", "Unreviewed"),
}  # fmt: skip


def _told(rows: tuple[Told, ...], named: Callable[[str], Text]) -> Table:
    columns = (
        Column("name", Text("联系人", "Contact"), "text"),
        Column("notices", Text("通知", "Notices"), "count"),
        Column("delivered", Text("送达", "Delivered"), "count"),
        Column("answered", Text("通知后有人响应", "Answered after"), "count"),
        Column("p50", Text("中位数（分钟）", "Median (min)"), "minutes"),
        Column("p95", Text("95% 以内（分钟）", "95th percentile (min)"), "minutes"),
    )
    lines = tuple(
        (named(row.contact), row.notices, row.delivered, row.answered.count, _minutes(row.answered.p50),
         _minutes(row.answered.p95))
        for row in rows[:MOST]
    )  # fmt: skip
    note = Text(
        "从一起告警第一次通知该联系人，到有人第一次响应；通知之前已有人响应的不计。",
        "From the first notice of an alarm to the contact until a person first acted; where one had acted before, "
        "it is left out.",
    )
    return Table("told", Text("通知与响应", "Notices and answers"), note, columns, lines, bar="notices")


def _patrols(rows: tuple[Patrol, ...], named: Callable[[str], Text]) -> Table:
    columns = (
        Column("name", Text("防区", "Zone"), "text"),
        Column("due", Text("应巡（次）", "Rounds due"), "count"),
        Column("made", Text("已巡（次）", "Rounds made"), "count"),
        Column("share", Text("完成率", "Completion"), "share"),
    )
    lines = tuple((named(row.name), row.due, row.made, row.made / row.due if row.due else None) for row in rows[:MOST])
    note = Text(
        "按漏巡规则规定的时段；时段内巡更点有打卡即为已巡。只计已结束的时段。",
        "By the times of the rules about missed rounds: made when a point of the zone was read in time; only those "
        "that are over.",
    )
    return Table("patrols", Text("巡更完成率", "Patrol completion"), note, columns, lines, bar="share")


def _filmed(found: Figures, named: Callable[[str], Text], now: Instant) -> Table:
    columns = (
        Column("name", Text("摄像机", "Camera"), "text"),
        Column("files", Text("证据文件", "Files"), "count"),
        Column("days", Text("最早录像（天前）", "Oldest video (days ago)"), "count"),
    )
    lines = tuple(
        (named(row.name), row.files, None if row.oldest_video is None else max(0, now - row.oldest_video) // DAY)
        for row in found.people.filmed[:MOST]
    )
    note = Text(
        "只指门神留存的事件录像；录像机自己的录像由录像机保存。",
        "Only the clips of incidents that Menshen keeps; a recorder keeps its own.",
    )
    return Table("filmed", Text("各摄像机的证据", "Evidence by camera"), note, columns, lines)


#: What people expect of such a report (DOMAIN.md, section D) and no fact of the journal says, with what would say it.
_ON_SITE = (
    Text("到场用时", "Time on site"),
    Text("在防区绑定巡更点（巡更点、二维码或 NFC）；“开始处理”只说明有人动手",
         "a patrol point bound to the zone (point, QR or NFC); “begun” says only that somebody acts"),
)  # fmt: skip
_TURNED = (
    Text("电动车劝返率", "E-bikes turned back"),
    Text("在轿厢绑定开门保持继电器：开门期间电动车离开，才说明它没有上楼",
         "a door-hold relay bound to the car: only while its door is held does an e-bike that leaves go back"),
)  # fmt: skip
_PATROL = (
    Text("巡更完成率", "Patrol completion"),
    Text("在防区绑定巡更点，并启用漏巡规则", "a patrol point bound to a zone, and a rule about missed rounds"),
)
_THEFT = (Text("无盗窃天数", "Days without theft"), Text("警情或报案的登记", "a register of reports to the police"))


def _unrecorded(people: People) -> Table:
    columns = (
        Column("name", Text("指标", "Figure"), "text"),
        Column("value", Text("数值", "Value"), "text"),
        Column("source", Text("由什么记录", "What would record it"), "text"),
    )
    missing = [
        *([_ON_SITE] if people.on_site is None else []),
        *([] if people.turned else [_TURNED]),
        *([] if people.patrols else [_PATROL]),
        _THEFT,
    ]
    rows = tuple((name, Text("未记录", "not recorded"), source) for name, source in missing)
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
        Column("daily", Text("平均每天（分钟）", "A day (min)"), "minutes"),
        Column("known", Text("有可信数据（分钟）", "Sensors trusted (min)"), "minutes"),
    )
    note = Text(
        "传感数据不可信或主机停机的时间不计入。",
        "Time in which no sensor was trusted, or the hub was down, is left out.",
    )
    lines = tuple(
        (named(row.name), _minutes(row.blocked), _minutes(row.blocked * DAY // row.known) if row.known >= DAY else None,
         _minutes(row.known))
        for row in rows[:MOST]
    )  # fmt: skip
    return Table(name, title, note, columns, lines, bar="blocked")


def _ebikes(found: Figures, named: Callable[[str], Text]) -> Table:
    columns = (
        Column("name", Text("电梯", "Lift"), "text"),
        Column("count", Text("次数", "Attempts"), "count"),
        Column("held", Text("开门劝阻", "Door held"), "count"),
        Column("gone", Text("随即退出", "Left at once"), "count"),
        Column("share", Text("劝返率", "Turned back"), "share"),
    )
    note = Text(
        "多条规则同时发现的算一次。劝返：门保持打开期间电动车已离开；没有绑定开门保持继电器的电梯无此项。",
        "What several rules saw at the same time counts once. Turned back: it was gone while the door was still held; "
        "not known of lifts without a door-hold relay.",
    )
    turned = {row.name: row for row in found.people.turned}
    lines = tuple(
        (named(row.name), row.count, *((one.held, one.gone, one.gone / one.held)
                                       if (one := turned.get(row.name)) is not None else (None, None, None)))
        for row in found.ebikes[:MOST]
    )  # fmt: skip
    return Table("ebikes", Text("电动车进电梯", "E-bikes taken into lifts"), note, columns, lines, bar="count")


#: What a device is wanted to be there for (DOMAIN.md, section D).
_MAINS, _BATTERY = 0.99, 0.97


def _availability(rows: tuple[Availability, ...], down: int, batteries: frozenset[str]) -> Table:
    columns = (
        Column("name", Text("设备", "Device"), "text"),
        Column("share", Text("在线率", "Available"), "share"),
        Column("wanted", Text("目标", "Wanted"), "share"),
        Column("silent", Text("离线（分钟）", "Not heard (min)"), "minutes"),
    )
    minutes = round(down / MINUTE, 1)
    note = Text(
        f"设备首次上报之后、主机运行期间，至少一个测点可信的时间占比；主机停机 {minutes:g} 分钟。"
        "目标：电池设备 97%，其余 99%。",
        "Share of the time since it was first heard, and in which the hub ran, with a trusted entity at least; "
        f"the hub was down for {minutes:g} min. Wanted: 97% of devices with a battery, 99% of the others.",
    )
    lines = tuple(
        (_as_is(row.name), row.share, _BATTERY if row.name in batteries else _MAINS,
         _minutes(row.known - row.good) if row.known else None)
        for row in rows[:MOST]
    )  # fmt: skip
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
