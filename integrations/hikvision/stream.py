"""The endless answer in which a camera tells its events: ``GET /ISAPI/Event/notification/alertStream``."""

from __future__ import annotations

from hub.sdk import multipart
from integrations.hikvision.config import Config

PATH = "/ISAPI/Event/notification/alertStream"
#: Heartbeats that may be missing before the camera counts as lost.
MISSED = 3


def asked(base: str, config: Config) -> multipart.Standing:
    """Return what is asked."""
    return multipart.Standing(base + PATH, config.user, config.password, config.timeout_s, MISSED * config.heartbeat_s)
