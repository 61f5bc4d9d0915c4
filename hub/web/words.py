"""Sentences that the hub itself puts on a page: a rule in one sentence, in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.reading import Alarm, Contact, Presence
from hub.model.site import Role, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from hub.engine.rule import Is, Rule
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
}
ROLE = {
    Role.VEHICLE: Text("车辆", "vehicle"),
    Role.PERSON: Text("人员", "person"),
    Role.DOOR: Text("门", "door"),
    Role.SMOKE: Text("烟雾", "smoke"),
    Role.CAMERA: Text("摄像机", "camera"),
    Role.SPEAKER: Text("喇叭", "loudspeaker"),
}
VALUE: dict[Value, Text] = {
    Presence.PRESENT: Text("停留", "present"),
    Presence.ABSENT: Text("离开", "gone"),
    Contact.OPEN: Text("打开", "open"),
    Contact.CLOSED: Text("关闭", "closed"),
    Alarm.ACTIVE: Text("报警", "active"),
    Alarm.CLEAR: Text("正常", "clear"),
}
_UNITS = ((DAY, "天", "d"), (HOUR, "小时", "h"), (MINUTE, "分钟", "min"), (SECOND, "秒", "s"))


def duration(value: int) -> Text:
    """Say a duration in the largest unit that keeps it whole."""
    size, zh, en = next(((size, zh, en) for size, zh, en in _UNITS if value and value % size == 0), (SECOND, "秒", "s"))
    number = f"{value / size:g}"
    return Text(f"{number} {zh}", f"{number} {en}")


def rule_sentence(rule: Rule) -> Text:
    """Say what a rule does."""
    kind, trigger, clear = KIND[rule.zone_kind], _watch(rule.trigger.condition), _watch(rule.clear.condition)
    hold, calm = duration(rule.trigger.hold), duration(rule.clear.hold)
    return Text(
        zh=f"当{kind.zh}的{trigger.zh}超过 {hold.zh}，就告警；{clear.zh}满 {calm.zh}，视为解除。",
        en=f"When {trigger.en} at a {kind.en} for {hold.en}, warn; over when {clear.en} for {calm.en}.",
    )


def _watch(condition: Is) -> Text:
    role, value = ROLE[condition.role], VALUE[condition.value]
    return Text(f"{role.zh}{value.zh}", f"{role.en} {value.en}")
