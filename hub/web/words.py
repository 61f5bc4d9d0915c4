"""Sentences that the hub itself puts on a page, in Chinese and English: what a rule does, and why it did not."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.engine.calendar import Day, Sun, Weekday
from hub.engine.explain import Cause
from hub.engine.terms import (
    All,
    AnyOf,
    Beyond,
    Count,
    DayIs,
    Is,
    ModeIs,
    Not,
    Preceded,
    Silent,
    SunIs,
    SupplySilent,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.engine.trace import clock
from hub.model.reading import Alarm, Contact, Presence
from hub.model.site import Mode, Role, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.explain import Explanation
    from hub.engine.rule import Rule
    from hub.model.ids import EntityId
    from hub.model.reading import Value

KIND = {
    ZoneKind.FIRE_LANE: Text("消防通道", "fire lane"),
    ZoneKind.UNIT_DOOR: Text("单元门", "entrance door"),
    ZoneKind.PLANT_DOOR: Text("设备房门", "plant-room door"),
    ZoneKind.LIFT_CAR: Text("电梯轿厢", "lift car"),
    ZoneKind.CORRIDOR: Text("楼道", "corridor"),
    ZoneKind.FACADE: Text("外立面", "facade"),
    ZoneKind.BIKE_SHED: Text("车棚", "bike shed"),
    ZoneKind.PERIMETER: Text("周界", "perimeter"),
    ZoneKind.GATE: Text("大门", "gate"),
    ZoneKind.PUBLIC_VIEW: Text("公共视角", "public view"),
    ZoneKind.SUPPLY: Text("供电与上行", "supply"),
    ZoneKind.HUB: Text("门神主机", "hub"),
}
ROLE = {
    Role.VEHICLE: Text("车辆", "vehicle"),
    Role.PERSON: Text("人员", "person"),
    Role.DOOR: Text("门", "door"),
    Role.EBIKE: Text("电动车", "e-bike"),
    Role.SMOKE: Text("烟雾", "smoke"),
    Role.FALLING: Text("高空抛物", "falling object"),
    Role.CARD: Text("刷卡", "card"),
    Role.PERMIT: Text("许可", "permit"),
    Role.ALARM: Text("报警", "alarm"),
    Role.STOPPED: Text("停梯", "lift stopped"),
    Role.CHECKPOINT: Text("巡更点", "checkpoint"),
    Role.REVIEW: Text("人工确认", "review"),
    Role.LOAD: Text("载重", "load"),
    Role.TEMPERATURE: Text("温度", "temperature"),
    Role.CAMERA: Text("摄像机", "camera"),
    Role.SPEAKER: Text("喇叭", "loudspeaker"),
    Role.LIGHT: Text("照明", "light"),
    Role.DOOR_HOLD: Text("保持开门", "door hold"),
    Role.DEVICE: Text("设备", "device"),
}
VALUE: dict[Value, Text] = {
    Presence.PRESENT: Text("停留", "present"),
    Presence.ABSENT: Text("离开", "gone"),
    Contact.OPEN: Text("打开", "open"),
    Contact.CLOSED: Text("关闭", "closed"),
    Alarm.ACTIVE: Text("报警", "active"),
    Alarm.CLEAR: Text("正常", "clear"),
}
MODE = {
    Mode.MAINTENANCE: Text("维护模式", "maintenance mode"),
    Mode.TYPHOON: Text("台风模式", "typhoon mode"),
    Mode.TEST: Text("测试模式", "test mode"),
}
WEEKDAY = dict(zip(Weekday, ("周一", "周二", "周三", "周四", "周五", "周六", "周日"), strict=True))
_UNITS = ((DAY, "天", "d"), (HOUR, "小时", "h"), (MINUTE, "分钟", "min"), (SECOND, "秒", "s"))


def duration(value: int) -> Text:
    """Say a duration in the largest unit that keeps it whole."""
    size, zh, en = next(((size, zh, en) for size, zh, en in _UNITS if value and value % size == 0), (SECOND, "秒", "s"))
    number = f"{value / size:g}"
    return Text(f"{number} {zh}", f"{number} {en}")


def rule_sentence(rule: Rule) -> Text:
    """Say what a rule does."""
    kind, trigger, clear = KIND[rule.zone_kind], term(rule.trigger.condition), term(rule.clear.condition)
    hold, calm = duration(rule.trigger.hold), duration(rule.clear.hold)
    conditions = [term(condition) for condition in rule.conditions]
    also = Text(
        "".join(f"，且{condition.zh}" for condition in conditions),
        "".join(f" and {condition.en}" for condition in conditions),
    )
    held = Text(f"超过 {hold.zh}", f" for {hold.en}") if rule.trigger.hold else Text("", "")
    gap = " " if trigger.zh[:1].isdigit() else ""
    over = Text(f"满 {calm.zh}", f" for {calm.en}") if rule.clear.hold else Text("", "")
    return Text(
        zh=f"当{kind.zh}的{gap}{trigger.zh}{held.zh}{also.zh}，就告警；{clear.zh}{over.zh}，视为解除。",
        en=f"When {trigger.en}{held.en}{also.en} at a {kind.en}, warn; over when {clear.en}{over.en}.",
    )


def why(found: Explanation, rule: Rule, timezone: str, name: Callable[[EntityId], Text]) -> Text:
    """Say what stands in the way of a rule."""
    said = term(found.term) if found.term is not None else Text("", "")
    since, until = _since(found.since, timezone), moment(found.until, timezone)
    source = _source(found, name)
    hold, kind = duration(rule.trigger.hold), KIND[rule.zone_kind]
    match found.cause:
        case Cause.SWITCHED_OFF:
            return Text("这条规则已停用。", "The rule is switched off.")
        case Cause.NOT_OF_KIND:
            return Text(f"这条规则只管{kind.zh}，这个防区不是。", f"The rule is for a {kind.en}; this zone is none.")
        case Cause.EXCLUDED:
            return Text("规则没有把这个防区包括在内。", "The rule leaves this zone out.")
        case Cause.NOT_BOUND:
            return Text(
                "这个防区没有绑定触发条件要看的测点。", "No entity that the trigger looks at is bound to this zone."
            )
        case Cause.TRIGGER_FALSE:
            return Text(
                f"触发条件“{said.zh}”不成立{source.zh}{since.zh}。",
                f"The trigger does not hold: {said.en}{source.en}{since.en}.",
            )
        case Cause.RUNNING:
            return Text(
                f"触发条件已成立{since.zh}，要满 {hold.zh}，到 {until} 才告警。",
                f"The trigger holds{since.en}; it must for {hold.en}, until {until}.",
            )
        case Cause.SOURCE_UNKNOWN:
            return Text(
                f"“{said.zh}”无法确定{source.zh}{since.zh}；状态不明时不告警。",
                f"It is not known: {said.en}{source.en}{since.en}; nothing fires on what is not known.",
            )
        case Cause.CONDITION_FALSE:
            return Text(
                f"已到时间，但条件“{said.zh}”不成立{source.zh}{since.zh}。",
                f"It would fire, but a condition does not hold: {said.en}{source.en}{since.en}.",
            )
        case Cause.COOLDOWN:
            return Text(f"刚刚解除，冷却到 {until}。", f"It has just cleared and stays quiet until {until}.")
        case Cause.ACTIVE:
            dry = Text("（演练，不动作）", " (a dry run: it acts on nothing)") if found.dry_run else Text("", "")
            return Text(f"已经触发{since.zh}{dry.zh}。", f"It has fired{since.en}{dry.en}.")
        case Cause.DUE:
            return Text("条件都成立，正要触发。", "Everything holds: it is about to fire.")


def moment(instant: int | None, timezone: str) -> str:
    """Write an instant as local people read it."""
    if instant is None:
        return "?"
    return datetime.fromtimestamp(instant / SECOND, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S")


def _since(instant: int | None, timezone: str) -> Text:
    if not instant:
        return Text("", "")
    at = moment(instant, timezone)
    return Text(f"（自 {at} 起）", f" (since {at})")


def _source(found: Explanation, name: Callable[[EntityId], Text]) -> Text:
    """Say which entity decides, and what it says."""
    seen = found.witness
    if seen is None or seen.entity is None:
        return Text("", "")
    who, value = name(seen.entity), _value(seen.value)
    return Text(f"：{who.zh} {value.zh}", f": {who.in_language('en')} {value.en}")


def _value(word: str | None) -> Text:
    if word is None:
        return Text("没有数据", "has no value")
    return next((text for value, text in VALUE.items() if value == word), Text(word, word))


def term(condition: Term) -> Text:
    """Say a condition."""
    match condition:
        case Not():
            inner = term(condition.term)
            return Text(f"不是{inner.zh}", f"not {inner.en}")
        case All() | AnyOf():
            zh, en = ("且", " and ") if isinstance(condition, All) else ("或", " or ")
            parts = [term(part) for part in condition.terms]
            return Text(f"（{zh.join(p.zh for p in parts)}）", f"({en.join(p.en for p in parts)})")
        case Is():
            return _is(condition)
        case Preceded():
            return _preceded(condition)
        case Count():
            what, within = _is(condition.term), duration(condition.within)
            return Text(
                f"{within.zh}内{what.zh} {condition.at_least} 次",
                f"{what.en} {condition.at_least} times in {within.en}",
            )
        case Beyond():
            role, limit = ROLE[condition.role], f"{condition.limit:g}"
            zh = "高于" if condition.direction == "above" else "低于"
            return Text(f"{role.zh}{zh} {limit}", f"{role.en} {condition.direction} {limit}")
        case Silent():
            role, time = ROLE[condition.role], duration(condition.time)
            return Text(f"{role.zh} {time.zh}没有消息", f"{role.en} silent for {time.en}")
        case SupplySilent():
            time = duration(condition.time)
            return Text(f"所属供电或上行 {time.zh}没有消息", f"its supply silent for {time.en}")
        case ModeIs():
            return MODE[condition.mode]
        case _:
            return _when(condition)


def _is(condition: Is) -> Text:
    role, value = ROLE[condition.role], VALUE[condition.value]
    sources = {1: Text("", ""), 0: Text("（所有传感一致）", " by every source")}
    confirm = sources.get(
        condition.confirm, Text(f"（{condition.confirm} 个传感一致）", f" by {condition.confirm} sources")
    )
    said = value.zh if role.zh == value.zh else f"{role.zh}{value.zh}"  # an alarm that alarms is one word
    return Text(f"{said}{confirm.zh}", f"{role.en} {value.en}{confirm.en}")


def _preceded(condition: Preceded) -> Text:
    what, by, within = _is(condition.term), _is(condition.by), duration(condition.within)
    zh, en = ("没有", "without") if condition.negated else ("有", "after")
    return Text(f"{what.zh}（此前 {within.zh}内{zh}{by.zh}）", f"{what.en} {en} {by.en} in the {within.en} before")


def _when(condition: TimeIs | WeekdayIs | DayIs | SunIs) -> Text:
    match condition:
        case TimeIs():
            begin, end = clock(condition.begin), clock(condition.end)
            return Text(f"时间在 {begin}–{end}", f"between {begin} and {end}")
        case WeekdayIs():
            return Text("、".join(WEEKDAY[day] for day in condition.days), f"on {', '.join(condition.days)}")
        case DayIs():
            workday = condition.day is Day.WORKDAY
            return Text("工作日" if workday else "休息日", "on a workday" if workday else "on a rest day")
        case SunIs():
            up = condition.sun is Sun.UP
            return Text("白天" if up else "天黑", "by day" if up else "after dark")
