"""What the engine says about a rule, in Chinese; its own sentences, which ``menshen check`` prints, are English."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from hub.web.words import ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names of parts of a rule, as they stand between backticks.
_NAMES = {
    "for": "持续时间", "after": "多久之后", "every": "重复间隔", "times": "次数", "within": "时间范围",
    "until": "恢复值", "volume": "音量", "text": "喊话内容", "name": "名称", "rule": "规则标识", "cooldown": "冷却时间",
    "trigger": "触发条件", "clear": "解除条件", "actions": "动作", "escalation": "升级步骤", "conditions": "附加条件",
    "from": "开始时间", "to": "结束时间", "zones": "防区", "above": "上限", "below": "下限",
    "tolerate_gap": "失联容忍时间", "stale_after": "喊话时效", "notify": "通知", "say": "喊话", "switch": "继电器",
    "open_incident": "立案", "kind": "防区类型", "role": "用途", "severity": "级别", "a rule": "规则",
    "silent": "没有消息", "count": "次数条件", "any": "任一满足", "all": "同时满足", "without": "此前没有",
    "confirm": "一致的测点数", "only": "只限的防区", "rate": "喊话频率", "quiet_hours": "夜间小声", "capture": "抓拍",
    "close_incident": "结案", "dry_run": "试运行", "enabled": "启用", "a condition": "条件", "an action": "动作",
    "an escalation step": "升级步骤", "not": "不是", "the time of silence": "没有消息的时长",
}  # fmt: skip
_ROLES = {role.value: text.zh for role, text in ROLE.items()}
#: Longer sentences repeat what somebody wrote and are shown as they are.
LONGEST = 500
_UNITS = {"min": "分钟", "s": "秒", "h": "小时", "d": "天", "ms": "毫秒"}

#: English sentence → Chinese one; groups are put in their order, part names and durations in Chinese.
_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"(.+) must be a number with a unit, like .* not `(.*)`", "{0}要写数字和单位，例如 3 min、30 s，现在是“{1}”"),
    (r"(.+) must lie between (.+) and (.+)", "{0}应在 {1} 到 {2} 之间"),
    (r"(.+) must be a whole number from (\S+) to (\S+), not `(.*)`", "{0}应是 {1} 到 {2} 的整数，现在是“{3}”"),
    (r"(.+) must be a number, not `(.*)`", "{0}应是数字，现在是“{1}”"),
    (r"(.+) must be a time of day like .* not `(.*)`", "{0}应是时刻，例如 22:30，现在是“{1}”"),
    (r"(.+) must have 1 to (\d+) characters, this has (\d+)", "{0}应有 1 到 {1} 个字，现在有 {2} 个"),
    (r"(.+) is text, but `(.*)` reads as a number or switch.*", "{0}应是文字，“{1}”会被当成数字或开关，请加引号"),
    (r"(.+) must be a list of `key: value` lines", "{0}应由“键: 值”组成"),
    (r"(.+) must be a list of lines that begin with .*", "{0}应是列表，每行以 - 开头"),
    (r"(.+) must be one value on one line", "{0}应是一个值"),
    (r"(.+) must be `true` or `false`, not `(.*)`", "{0}应是 true 或 false，现在是“{1}”"),
    (r"`(.*)` is not a key of (.+?)(?:; did you mean `(.*)`\?|;.*)?", "{1}里没有“{0}”这一项"),
    (r"(.+) needs `(.+)`", "{0}缺少{1}"),
    (r"`(.*)` is no name: .*", "“{0}”不能作标识：用小写字母、数字和下划线，以字母开头"),
    (r"no zone `(.*)` of this kind.*", "没有这一类的防区“{0}”"),
    (r"no prompt `(.*)` in hub.yaml.*", "没有名为“{0}”的提示语"),
    (r"no contact `(.*)` in hub.yaml.*", "没有名为“{0}”的联系人"),
    (r"no `(.*)` is bound in (.*)", "{1} 没有绑定{0}，那里这一步做不了"),
    (r"no (.*) binds a `(.*)`: this rule can never fire until one does", "还没有防区绑定{1}，绑定之前这条规则不会触发"),
    (r"no (.*) binds a `(.*)`: the rule, which asks for it, never fires until one does",
     "还没有防区绑定{1}，附加条件要用到它，绑定之前不会触发"),
    (r"no (.*) binds a `(.*)`: this rule would never be over until one does",
     "还没有防区绑定{1}，绑定之前触发后不会解除"),
    (r"(.+) needs exactly one condition, like .*", "{0}要有且只有一个条件"),
    (r"(.+) joins at least two conditions", "“全部/任一”至少要有两个条件"),
    (r"escalation steps must stand in the order of their time", "升级步骤要按时间先后排列"),
    (r"a repeated step states both `every` and `times`", "重复的步骤要同时写明间隔和次数"),
    (r"an action is one line, like .*", "这个动作还没有填完整"),
    (r"`(.*)` is no variable.*", "不认识变量“{0}”，可用 {{zone}}、{{area}}、{{minutes}}"),
    (r"`(.*)` is no relay.*", "“{0}”不是继电器"),
    (r"`(.*)` is no zone kind.*", "没有“{0}”这种防区"),
    (r"`(.*)` is no value of (\S+?)(?:;.*)?", "“{0}”不是{1}能有的状态"),
    (r"`(.*)` is no ([^;]+?)(?:;.*)?", "“{0}”不能用在这里"),
    (r"the window is empty: .*", "开始和结束是同一时刻，时间段是空的"),
    (r"`until` lies on the wrong side of the limit", "恢复值在限值的另一侧"),
    (r"`(.*)` always needs every source; leave `confirm` out", "这个状态总要全部测点一致，不用再写"),
    (r"the trigger can never be true: .*", "触发条件互相矛盾，永远不会成立"),
    (r"the conditions exclude the trigger: .*", "附加条件与触发条件矛盾，这条规则永远不会触发"),
    (r"the trigger is always true: .*", "触发条件总是成立：这条规则会立刻在所有防区触发"),
    (r"`clear` can never be true: .*", "解除条件永远不会成立，触发后不会结束"),
    (r"`clear` holds whenever the trigger does: .*", "触发时解除条件也成立，会立刻结束"),
    (r"(\d+) sources must agree, but no zone binds more than (\d+) as `(.*)`",
     "要 {0} 个测点一致，但没有防区绑定超过 {1} 个{2}"),
    (r"a text must not name a number plate; .*", "喊话内容不能有车牌号，请说“您的车辆”"),
    (r"with the zone's name this has (\d+) characters, (\d+) are allowed", "加上防区名称有 {0} 个字，最多 {1} 个"),
    (r"(\d+) characters take about (\d+) s; .* say it in (\d+)",
     "{0} 个字要念约 {1} 秒，没人听完；请控制在 {2} 字以内"),
    (r"the last repetition comes after (.+); an escalation ends after (.+)", "最后一次重复在 {0} 之后，最晚到 {1}"),
    (r"rule `(.*)` has the same name; .*", "规则“{0}”也叫这个名称，人会分不清"),
    (r"rule `(.*)` stands in (.*) already", "规则标识“{0}”已用在 {1}"),
    (r"rule `(.*)` holds (.*) for (.*), this one (.*): .*", "规则“{0}”让 {1} 保持 {2}，这里是 {3}，会互相打断"),
    (r"`(.*)` stands here twice, first in line (\d+); keep one", "“{0}”重复了，第一次在第 {1} 行"),
    (r"this is not YAML: (.*)", "YAML 写法有误：{0}"),
    (r"this is written so unusually .*", "这里的写法特殊，表单改不了，请在 YAML 里改"),
    (r"the other rule serves no further zone: .*", "原规则只管这个防区，请直接改原规则"),
    (r"nested more than (\d+) levels deep", "嵌套超过 {0} 层"),
    (r"the file is empty", "内容是空的"),
    (r"`capture` takes `snapshot`, or .*", "抓拍写 snapshot，录像写成 {{before: 10 s, after: 20 s}}"),
    (r"a clip needs `before`, `after` or both", "录像要写 before、after 或两者"),
    (r"no camera watches (.*) \(`see` in hub.yaml\), so a picture is taken instead of a clip",
     "{0}没有摄像机识别（hub.yaml 里的 see），录不了像，改为拍照"),
    (r"a lane needs a `polygon` of (\d+) to (\d+) corners", "通道范围要有 {0} 到 {1} 个角"),
    (r"`floors` needs (\d+) to (\d+) points, or none", "楼层线要有 {0} 到 {1} 个点，或者不画"),
    (r"what falls is seen in every picture or not at all: .*", "看坠物要解码每一帧：decode 写 full，或者不写"),
    (r"the hub closes an incident only as `cleared`; .*", "自动结案只能写 cleared，其他原因由人填写"),
    (r"`silent` needs one role and a time, like .*", "“没有消息”要写一个测点和时长"),
    (r"`confirm` is `any`, `all` or a number .*", "一致的测点数是 any、all 或 1 到 9"),
    (r"conditions are nested more than (\d+) levels deep", "条件嵌套超过 {0} 层"),
    (r"write `after` or `without`, not both; .*", "“此前有”和“此前没有”只能写一个"),
    (r"`(.*)` stands beside a role only, .*", "{0}只能和测点写在一起"),
    (r"write `(.*): \{above: 60, until: 55\}`, or `below`", "{0}要写高于或低于多少"),
    (r"cannot be read: (.*)", "读不出来：{0}"),
    (r"is not UTF-8 here; .*", "这里不是 UTF-8，请用 UTF-8 保存"),
    (r"only one document a file: .*", "一个文件只能有一条规则，请去掉 ---"),
    (r"`(.*)` is an? (?:alias|anchor|tag); .*", "不能用“{0}”这种写法，请直接写出内容"),
    (r"a character that no text may hold \((.*)\)", "有不能使用的字符（{0}）"),
)  # fmt: skip
_KNOWN = tuple((re.compile(f"(?:{pattern})\\Z", re.DOTALL), said) for pattern, said in _SENTENCES)
_TIME = re.compile(r"(\d+(?:\.\d+)?) (min|ms|s|h|d)\Z")


def in_chinese(sentence: str, zones: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the sentence in Chinese, or as it is where nobody has translated it; ``zones``: what ids are called."""
    for pattern, said in _KNOWN if len(sentence) <= LONGEST else ():
        if (match := pattern.match(sentence)) is not None:
            return said.format(*(_word(group or "", zones) for group in match.groups()))
    return sentence


def _word(text: str, zones: Mapping[str, str]) -> str:
    ids = text.split(", ")
    if all(one in zones for one in ids):
        return "、".join(zones[one] for one in ids)
    if (time := _TIME.match(text)) is not None:
        return f"{time[1]} {_UNITS[time[2]]}"
    bare = text.strip("`")
    return _NAMES.get(bare) or _ROLES.get(bare, bare)
