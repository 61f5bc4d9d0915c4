"""Named places at which a fault test kills the hub. Without ``MENSHEN_FAILPOINT`` in the environment they do nothing.

``MENSHEN_FAILPOINT=journal.committed:3`` kills the process with SIGKILL at the third passage of that place.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "batch.decided",  # decided, nothing written
    "journal.committed",  # written, nothing acknowledged, nothing acted
    "batch.acknowledged",  # acknowledged to the transport, nothing acted
    "command.started",  # marked as begun, not yet done
    "command.acted",  # done, outcome not yet written
)
#: Those of ``menshen restore``.
RESTORE_POINTS = (
    "restore.file",  # a file of a backup unpacked, others not
    "restore.before_decision",  # all unpacked and checked, nothing in its place
    "restore.site_file",  # decided; one file of the site moved away, its successor not there
    "restore.site_done",  # the site is the new one, the data the old
    "restore.swapped_out",  # the old data moved away, the new not there
)

_name, _, _count = os.environ.get("MENSHEN_FAILPOINT", "").partition(":")
_left = int(_count or 1)


def failpoint(name: str) -> None:
    """Die here when the environment says so."""
    if name == _name:
        _die()


def _die() -> None:
    global _left
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
