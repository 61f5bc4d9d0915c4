"""What people read of a package: the cover (PDF) and the story of the incident as text. Blocks: call it on a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.journal.dossier import Dossier, Place, collect, zone_of
from hub.journal.package import write_package
from hub.journal.signing import fingerprint, sign
from hub.journal.verify import grouped
from hub.model.ids import ZoneId
from hub.model.text import Text
from hub.web.errors import Refusal
from hub.web.report_files import pdf
from hub.web.report_tables import Column, Table
from hub.web.words import moment

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from hub.config.settings import Settings
    from hub.model.time import Instant

_KIND = {
    "pending_started": "条件开始满足", "pending_dropped": "条件不再满足", "opened": "判定触发", "cleared": "判定结束",
    "incident_opened": "事件开启", "incident_closed": "事件关闭", "command": "下达动作", "outcome": "动作结果",
    "handling": "人员处置", "escalated": "升级", "withheld": "未执行", "clock_jump": "时钟跳变",
}  # fmt: skip
_README = """证据包说明

cover.pdf        封面
story.txt        经过（供阅读）
incident.json    事件与触发依据
evidence/        图像与声音，SHA-256 记录在日志链中
chain/           感知、判定、查看与导出的日志行，及证明其未被改动的散列链
stamps/          第三方时间戳（RFC 3161，如已配置）
diligence.json   履职记录：设备在线率、喊话、标识（民法典第一千二百五十四条）
clock.json       事件前后一天内的时钟跳变
manifest.json    每个文件的 SHA-256；manifest.sig 为站点密钥（Ed25519，public.pem）的签名

核验（不需要本系统运行）：menshen evidence verify 本文件.zip --head 留存的链头 --key 留存的公钥指纹
散列链本身只能向持有旧链头或时间戳的人证明没有整体重写。
"""


def make_package(data: Path, settings: Settings, number: int, by: str, now: Instant, target: BinaryIO) -> None:
    """Write the package of an incident, after ``note_export``. Raises Refusal, JournalError, OSError."""
    dossier = collect(data, number, place_of(data, settings, number), by, now)
    key = fingerprint(sign(data, b"").public)
    zone = settings.site.timezone
    extra = {
        "cover.pdf": cover(dossier, key, zone),
        "story.txt": _story(dossier, zone).encode(),
        "readme.txt": _README.encode(),
    }
    write_package(dossier, data, extra, target)


def place_of(data: Path, settings: Settings, number: int) -> Place:
    """Return what the site says of an incident's zone; a zone that is no longer there has no entities. Refusal."""
    name = zone_of(data, number)
    if name is None:
        raise Refusal(404, "not_found", "no such incident")
    zone = settings.site.zones.get(ZoneId(name))
    bound = () if zone is None else [entity for entities in zone.bind.values() for entity in entities]
    called = name if zone is None else zone.name.zh
    return Place(settings.site.name.zh, called, {str(one): str(one) for one in bound}, settings.evidence.signs)


def cover(dossier: Dossier, key: str, timezone: str) -> bytes:
    """Draw the cover in Chinese."""
    incident, diligence = dossier.incident, dossier.diligence
    facts = [
        ("小区", dossier.place.site),
        ("地点", dossier.place.zone),
        ("规则", incident["rule"]),
        ("开始", moment(incident["opened_at"], timezone)),
        ("结束", moment(incident["closed_at"], timezone) if incident["closed_at"] else "未结束"),
        ("处理人", incident["handler"] or "–"),
        ("图像与声音", f"{len(dossier.pictures)} 个"),
        ("导出", f"{moment(dossier.made, timezone)}，{dossier.by}"),
        ("第三方时间戳", f"{len(dossier.stamps)} 个" if dossier.stamps else "无"),
        ("时钟跳变（前后一天）", f"{len(dossier.clock)} 次"),
    ]
    proof = [("链头", part) for part in _halves(dossier.head)] + [("公钥指纹", part) for part in _halves(key)]
    duty = [
        *((one["name"], _health(one)) for one in diligence.availability),
        ("喊话", f"{len(diligence.broadcasts)} 次"),
        ("警示标识", "、".join(diligence.signs) or "未登记"),
    ]  # fmt: skip
    tables = [
        _table("事件", facts, ""),
        _table("履职记录（近 30 天）", duty, "民法典第一千二百五十四条：必要的安全保障措施。"),
        _table("核验", proof, "核验命令见 readme.txt；链头与公钥指纹应与物业另行留存的一致。"),
    ]
    title = Text(f"证据材料 · 事件 {dossier.id}", "")
    return pdf(title, Text("由门神系统导出", ""), tables, "zh")


def _health(one: dict[str, Any]) -> str:
    share = "未曾上线" if one["share"] is None else f"在线 {one['share']:.1%}"
    off = one["clock_off_s"]
    return share if off is None else f"{share}，时钟相差 {off:+.1f} 秒"


def _halves(digest: str) -> tuple[str, str]:
    return grouped(digest[:32]), grouped(digest[32:])


def _table(title: str, rows: list[tuple[str, str]], note: str) -> Table:
    columns = (Column("what", Text("项目", ""), "text"), Column("value", Text("内容", ""), "text"))
    return Table(title, Text(title, ""), Text(note, ""), columns, tuple((Text(a, ""), Text(b, "")) for a, b in rows))


def _story(dossier: Dossier, timezone: str) -> str:
    """Tell what was sensed, decided and done, in order."""
    lines = []
    for part in dossier.parts:
        for row in (*part.unproven, *part.rows):
            if part.table == "readings":
                lines.append((row[4], f"感知  {row[1]} = {row[2]}（{row[3]}）"))
            elif part.table == "events":
                body = msgspec.json.encode(msgspec.json.decode(row[4])).decode()
                lines.append((row[1], f"{_KIND.get(row[2], row[2])}  {body}"))
            else:
                lines.append((row[1], f"人员  {row[2]} {row[3]} {row[6]} {row[7]}"))
    return "\n".join(f"{moment(at, timezone)}  {words}" for at, words in sorted(lines)) + "\n"
