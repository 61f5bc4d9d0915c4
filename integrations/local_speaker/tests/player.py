"""A far end for local_speaker: run under the name ``aplay`` or ``pw-play``, it keeps its arguments and what it reads.

What it does stands in the file ``mode`` beside it: ``play``, ``fail``, ``chatter``, ``hang``, ``orphan`` (plays, but
a child of its own stays) or ``deaf``. It writes ``pid`` as soon as it runs, ``heard.wav`` and ``heard.json`` (its
arguments).
"""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(sys.argv[0]).resolve().parent


def source() -> bytes:
    """Read as the real ones do: aplay from the descriptor, pw-play by opening a path that it can seek in."""
    if sys.argv[-1] == "-":
        return sys.stdin.buffer.read()
    with pathlib.Path(sys.argv[-1]).open("rb") as file:
        file.seek(0)
        return file.read()


def main() -> int:
    mode = (HERE / "mode").read_text()
    if mode in {"hang", "orphan"}:
        child = subprocess.Popen(["sleep", "600"])  # noqa: S607 (holds standard error open, as a player may)
        (HERE / "child").write_text(str(child.pid))
    (HERE / "pid").write_text(str(os.getpid()))
    if mode in {"hang", "deaf"}:
        time.sleep(600)
    if mode == "chatter":
        sys.stderr.write("noise\n" * 400_000)
    if mode not in {"play", "orphan"}:
        sys.stderr.write("ALSA lib pcm.c:2660\naplay: main:831: audio open error: \x1b[31mNo such device\n")
        return 1
    data = source()
    (HERE / "heard.wav").write_bytes(data)
    (HERE / "heard.json").write_text(json.dumps(sys.argv[1:]))
    return 0


sys.exit(main())
