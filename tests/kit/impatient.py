"""The hub with shorter waits between two looks at a device: ``python -m tests.kit.impatient run …``."""

from __future__ import annotations

import sys

from hub.cli import main
from hub.runtime import sessions

#: Seconds, in the place of half a minute and a whole one.
LOOK, MISSING_AFTER, BACKOFF, SERVICE = 0.5, 1.5, (0.3, 0.6), 1

if __name__ == "__main__":
    sessions.LOOK, sessions.MISSING_AFTER, sessions.BACKOFF, sessions.SERVICE = LOOK, MISSING_AFTER, BACKOFF, SERVICE
    sys.exit(main())
