"""Topics that the broker does not let the hub hear, as one sentence of the banner: their devices would stay silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from hub.model.text import Text, clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: Longest part of a topic that is shown.
SHOWN = 80


class Refusals:
    """Those of one link."""

    def __init__(self, link: str, problems: Problems) -> None:
        self._key = f"refused.{link}"
        self._link = link
        self._problems = problems
        self._topics: dict[str, None] = {}

    def add(self, topics: Iterable[str]) -> None:
        """The broker has said no to these (SUBACK with 0x80; MQTT 3.1.1, 3.9.3)."""
        self._topics.update(dict.fromkeys(topics))
        self._say()

    def forget(self, topics: Iterable[str]) -> None:
        """Nobody asks for these any more."""
        for topic in topics:
            self._topics.pop(topic, None)
        self._say()

    def clear(self) -> None:
        """All is asked for anew."""
        self._topics.clear()
        self._say()

    def _say(self) -> None:
        if not self._topics:
            self._problems.settle(self._key)
            return
        first, count = clean(next(iter(self._topics)), SHOWN), len(self._topics)
        text = Text(
            f"设备消息服务不允许接收 {first}（共 {count} 个主题），相关设备的消息收不到，请检查账号权限",
            f"The broker does not let the hub hear {first} ({count} in all): nothing of their devices arrives; "
            "see what its account may read",
        )
        if self._problems.raise_(self._key, text):
            log.warning("link.refused", link=self._link, first=first, topics=count)
