"""``python -m hub.vision.worker FD``: a camera worker, started by the hub, which speaks to it over the socket FD."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a hub that was killed leaves no process behind
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text("500")  # when memory ends, this goes before the hub (proc(5))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # one core is given to this process
    os.environ["AV_LOG_FORCE_NOCOLOR"] = "1"
    import av

    from hub.vision.worker.child import serve, step_back

    step_back()
    av.logging.set_level(None)  # FFmpeg would print addresses with their passwords
    serve(socket.socket(fileno=int(sys.argv[1])))
