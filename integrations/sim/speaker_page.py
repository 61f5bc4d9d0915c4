"""The loudspeaker's own page: what it has said, newest first."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web

from integrations.sim.utterances import Utterance
from integrations.sim.web import page

#: Looks for news every two seconds, and shows them unless somebody is listening.
SCRIPT = """
const seen = document.body.querySelector('#said').dataset.seen;
setInterval(async () => {
  if ([...document.querySelectorAll('audio')].some(a => !a.paused)) return;
  const said = await (await fetch('/utterances')).json().catch(() => null);
  if (said && said.map(u => u.id + u.speaking + u.repeats).join() !== seen) location.reload();
}, 2000);
"""


def speaker_page(said: Iterable[Utterance]) -> web.Response:
    """Return the page."""
    newest = sorted(said, key=lambda one: one.started_at, reverse=True)
    seen = ",".join(f"{one.id}{str(one.speaking).lower()}{one.repeats}" for one in newest)
    cards = "".join(_card(one) for one in newest) or (
        '<div class="card empty">还没有说过话。<br><span class="en">Nothing has been said yet.</span></div>'
    )
    body = f'<div id="said" data-seen="{html.escape(seen)}">{cards}</div>'
    return page("喇叭说过的话", "What this loudspeaker has said", body, SCRIPT)


def _card(one: Utterance) -> str:
    when = datetime.fromtimestamp(one.started_at, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    source = f"RTP {one.codec} · SSRC {one.ssrc:08x}" if one.ssrc is not None else f"HTTP · {one.key or '—'}"
    tags = [f'<span class="tag">{html.escape(source)}</span>']
    if one.repeats:
        tags.append(
            f'<span class="tag warn">重复 {one.repeats} 次，没有再播 <small>repeated, not spoken again</small></span>'
        )
    if one.lost or one.late:
        tags.append(f'<span class="tag warn">丢包 {one.lost}，迟到 {one.late} <small>lost, late</small></span>')
    facts = [f"时长 {one.seconds:.1f} 秒", f"音量 {one.rms * 100:.1f}% <small>RMS</small>"]
    if one.volume is not None:
        facts.append(f"设定音量 {one.volume}")
    if one.packets:
        facts.append(f"{one.packets} 个数据包 <small>packets</small>")
    player = (
        '<p class="en">正在说话… <small>speaking</small></p>'
        if one.speaking
        else f'<audio controls preload="none" src="/utterances/{html.escape(one.id)}.wav"></audio>'
    )
    return (
        f'<section class="card"><div class="row"><strong>{when}</strong>{"".join(tags)}</div>'
        f'<div class="en">{" · ".join(facts)}</div>{player}</section>'
    )
