"""``python -m tests.faults.planted [WORD]``: take each defence away in a copy, and print which test caught it (F26).

Not part of the ordinary run: a few minutes. Exit 1 when a fault went unnoticed, or a test is red without one.
"""

from __future__ import annotations

from tests.faults.planted.table import PLANTED
from tests.mutations.__main__ import trial

if __name__ == "__main__":
    raise SystemExit(trial(PLANTED))
