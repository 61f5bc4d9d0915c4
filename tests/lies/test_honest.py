"""Who is lied to in test_http.py does what it shall with the true far end, which is in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model.errors import Unreachable
from tests.lies.guests import tried

ROOT = Path(__file__).parents[2]
#: What is done by each.
DONE = {
    "axis_speaker": {"play"},
    "axis_speaker clips": {"play"},
    "dahua": {"snapshot"},
    "dahua events": {"snapshot", "run"},
    "dingtalk": {"tell"},
    "feishu": {"tell"},
    "hikvision": {"snapshot", "play"},
    "hikvision events": {"snapshot", "run"},
    "sms_gateway": {"tell"},
    "wecom": {"tell"},
}


@pytest.fixture(scope="module")
def honest() -> Iterator[dict[str, dict[str, Any]]]:
    command = [sys.executable, "-m", "tests.lies.honest"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


@pytest.mark.parametrize("guest", DONE)
async def test_the_truth_is_taken(guest: str, honest: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    ended = await tried(guest, "", tmp_path, {"timeout_s": 10, **honest[guest]})
    assert set(ended) == DONE[guest]
    stream = ended.pop("run", None)
    if guest.endswith("events"):  # the far end says nothing on it, and ends it
        assert isinstance(stream, Unreachable)
        assert "ended the event stream" in stream.reason
    assert set(ended.values()) == {None}, ended
