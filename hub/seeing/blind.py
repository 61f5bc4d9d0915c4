"""Why a camera does not see, or sees and is not right, in words for the banner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.text import Text
from hub.model.time import SECOND, Duration, format_duration
from hub.vision.health import Picture
from hub.vision.worker.parent import ENDED
from hub.vision.worker.wire import FAULT, Link

if TYPE_CHECKING:
    from hub.vision.worker.wire import Health

_PICTURES = {
    Picture.BLACK: Text("画面全黑", "its picture is black"),
    Picture.OVEREXPOSED: Text("画面过曝", "its picture is over-exposed"),
    Picture.FROZEN: Text("画面静止不动", "its picture is frozen"),
    Picture.BLURRED: Text("画面模糊", "its picture is blurred"),
    Picture.COVERED: Text("镜头被遮挡", "its lens is covered"),
    Picture.MOVED: Text("摄像机被转动，请重新画区域", "it was turned: draw its places anew"),
}

_SLOWLY = {
    Picture.BLURRED: Text("画面几天来渐渐变模糊，请擦镜头", "its picture has become blurred over days: clean it"),
    Picture.COVERED: Text("画面几天来渐渐被遮挡", "its picture has become covered over days"),
    Picture.MOVED: Text("画面几天来渐渐偏移，请检查支架并重新画区域", "it has turned over days: see to its bracket"),
}

_UNREAD = Text("视频在传但画面读不出，请检查线路和摄像机", "its stream comes and cannot be read: check camera and line")
_UNRULY = Text("视频时间戳混乱，已按本机时间记录；请重启或升级摄像机",
               "the times in its stream jump, ours are used instead: restart or upgrade it")  # fmt: skip
_MISSED = Text("本机来不及看，漏看了部分画面：请降低码率、分辨率或减少摄像机",
               "this computer cannot keep up and leaves pictures out: lower its rate or size")  # fmt: skip
#: Part of the pictures that must be left out to be told.
MISSED = 0.2


def why_blind(health: Health) -> Text | None:
    """Return why a camera does not see; None where it does, or is only being connected to."""
    if health.link is Link.LOST and health.reason == ENDED:
        return Text("识别进程中断，正在重启", ENDED)
    if health.link is Link.LOST and health.reason.startswith(FAULT):
        return Text("识别程序出错，请联系技术支持", health.reason)
    if health.link is Link.LOST:
        return Text("没有视频流，请检查电源和网线", f"no stream: check power and line ({health.reason})")
    if health.link is Link.REFUSED:
        return Text("密码不对或没有这路视频，请检查设置", f"no stream: check its settings ({health.reason})")
    if health.link is not Link.STREAMING:
        return None
    return _UNREAD if health.unread_s else None if health.picture is None else _PICTURES.get(health.picture)


def why_poor(health: Health) -> Text | None:
    """Return what is not right with a camera that sees; None where nothing is."""
    if health.link is not Link.STREAMING:
        return None
    if health.ahead_s is not None:
        off = format_duration(Duration(round(abs(health.ahead_s) / 10) * 10 * SECOND))  # to the second it would flicker
        zh, en = ("慢", "late") if health.ahead_s < 0 else ("快", "ahead")
        return Text(f"时钟{zh}了 {off}，请校准", f"its clock is {off} {en}: set it")
    if health.unruly:
        return _UNRULY
    if health.missed >= MISSED:
        return _MISSED
    if health.unmodelled:
        return Text("识别模型用不了，只比较画面变化：请重新安装模型（menshen models install）",
                    f"its model cannot be used, only changes are seen: {health.unmodelled}")  # fmt: skip
    if health.slowly is not None:
        return _SLOWLY.get(health.slowly)
    if health.usual_fps:
        usual = f"{health.usual_fps:.0f}"
        return Text(f"帧率过低（平时每秒 {usual} 帧）", f"it sends too few pictures (usually {usual} a second)")
    return None
