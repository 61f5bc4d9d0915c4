"""Kills restores: a process of one thread that unlocks a backup once and forks a child for every kill.

``python -m tests.kit.restorer PRISTINE WORK BACKUP PASSPHRASE KILLS`` prints, for each kill, where it came and whether
the old or the new state was there afterwards, as JSON lines.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

from hub import failpoint
from hub.ops.backup.restore import finish, restore
from hub.ops.backup.sealed import Key, Sealed


def main(pristine: Path, work: Path, backup: Path, passphrase: str, kills: int) -> None:
    """Kill ``kills`` restores, at every point and passage in turn."""
    key = Key(passphrase)
    Sealed(backup, key)  # opens the lock, which takes a second; the children inherit the opened one
    passages = dict.fromkeys(failpoint.RESTORE_POINTS, 0)
    points = list(failpoint.RESTORE_POINTS)
    for _ in range(kills):
        point = points.pop(0)
        passages[point] += 1
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(pristine, work)
        if _killed(point, passages[point], backup, key, work):
            points.append(point)
            finished = finish(work / "data")
            state = [_content(work / folder) for folder in ("data", "site")]
            print(json.dumps({"point": point, "passage": passages[point], "finished": finished, "state": state}))  # noqa: T201
        if not points:  # every point was passed as often as a restore passes it: begin anew
            points, passages = list(failpoint.RESTORE_POINTS), dict.fromkeys(failpoint.RESTORE_POINTS, 0)


def _killed(point: str, passage: int, backup: Path, key: Key, work: Path) -> bool:
    """Restore in a child that dies at the point; return whether it did. An error of the restore is not passed over."""
    child = os.fork()
    if child == 0:
        failpoint._name, failpoint._left = point, passage
        try:
            restore(backup, key, work / "site/hub.yaml", work / "data")
        except BaseException:  # noqa: BLE001 - a child must not go on as if it were the parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == 0:
        return False
    assert os.WIFSIGNALED(status), f"the restore failed at {point}, passage {passage}: {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL
    return True


def _content(folder: Path) -> str:
    """Return what tells the old state from the new: one word in every file."""
    words = {path.read_text("utf-8")[:3] for suffix in ("txt", "yaml") for path in folder.rglob(f"*.{suffix}")}
    return " ".join(sorted(words))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
