"""The endless answer in which a camera tells its events: ``GET /cgi-bin/eventManager.cgi?action=attach…``."""

from __future__ import annotations

import re

from yarl import URL

from hub.sdk import multipart
from integrations.dahua.config import Config
from integrations.dahua.kinds import codes

#: Heartbeats that may be missing before the camera counts as lost.
MISSED = 3
#: The end of a head: an empty line, or (some firmwares leave that out) the line at which the message itself begins.
HEAD_END = re.compile(rb"\r?\n(?:\r?\n|(?=Code=|Heartbeat))")


def asked(base: str, config: Config) -> multipart.Standing:
    """Return what is asked, written as the vendor writes it: not all firmwares take brackets and commas as escapes."""
    query = f"action=attach&codes=[{','.join(codes(config.events))}]&heartbeat={config.heartbeat_s}"
    url = URL(f"{base}/cgi-bin/eventManager.cgi?{query}", encoded=True)
    silence = MISSED * config.heartbeat_s
    return multipart.Standing(url, config.user, config.password, config.timeout_s, silence, HEAD_END)
