"""Memory ends in the hub's control group (F6): the plugin that leaks is ended by the kernel, the hub never is."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.faults.test_bad_plugins import BAD
from tests.kit.broker import Broker
from tests.kit.cgroup import Group
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import ROOT, Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MB = 1 << 20
LONG = "SOAK_KILLS" in os.environ
#: Promised seconds until a worker that was ended runs again.
AGAIN = 10.0


def rogue(config: Path, how: str) -> None:
    """Have the plugin's one device behave so."""
    site = json.loads(config.read_text("utf-8"))
    site["devices"]["rogue"] = {"a": {"name": "坏", "how": how}}
    config.write_text(json.dumps(site, ensure_ascii=False), "utf-8")


def worker(hub: HubProcess) -> int:
    """Return the process id of the plugin's process, or 0."""
    for process in hub.family() - {hub.pid}:
        try:
            if b"hub.worker" in Path(f"/proc/{process}/cmdline").read_bytes():
                return process
        except OSError:  # it is gone by now
            continue
    return 0


@pytest.mark.parametrize(
    "room",
    [12 * MB, pytest.param(None, marks=pytest.mark.skipif(not LONG, reason="as above with 256 MB: `make soak`"))],
    ids=["the hub is larger than the plugin", "256 MB"],
)
def test_a_plugin_that_leaks_dies_before_the_hub(
    room: int | None, group: Group, tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    need_mosquitto()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends())
    short_rule(config, "1 s")
    shutil.copytree(BAD, config.parent / "integrations")
    rogue(config, "well")
    hub = hub_of(config)
    hub.start(prefix=group.prefix)
    assert hub.token
    lane = Lane(broker.port)
    lane.announce()
    until(hub.entities, lambda known: lane.entity in known and "rogue.a" in known, within=20)
    group.limit(256 * MB if room is None else group.resident() + room)
    first = hub.pid, worker(hub)
    rogue(config, "leak")
    deaths = until(group.killed, within=20, what="memory ends")
    died = time.monotonic()
    lane.occupied()
    until(lambda: worker(hub) not in {0, first[1]}, within=AGAIN, what="the worker runs again")
    print(f"the worker ran again {time.monotonic() - died:.1f} s after it was ended")  # noqa: T201 - a figure
    until(hub.incidents, lambda found: [one["zone"] for one in found] == [lane.name], within=5)
    until(group.killed, lambda count: count > deaths, within=20, what="it leaks again, and is ended again")
    assert hub.running
    assert hub.pid == first[0]
    assert hub.ready()
    rogue(config, "well")
    until(lambda: hub.entities().get("rogue.a", {}).get("quality"), lambda quality: quality == "good", within=30)
    assert [failed["reason"] for failed in hub.said("device.failed") if "SIGKILL" in failed["reason"]]
    assert hub.terminate()[0] == 0


def test_the_service_manager_does_not_end_the_hub_for_a_plugin() -> None:
    """By default systemd stops the whole unit when the kernel ends one of its processes (systemd.service(5))."""
    unit = (ROOT / "deploy" / "systemd" / "menshen.service").read_text("utf-8").splitlines()
    assert "OOMPolicy=continue" in unit
    assert any(line.startswith("MemoryMax=") for line in unit)
