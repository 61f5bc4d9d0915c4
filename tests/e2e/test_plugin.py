"""The page for plugin authors, taken at its word: its example beside a hub.yaml, in a process of its own, unplugged."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.kit.broker import Broker
from tests.kit.hub import MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.wait import until

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "README.md"
ENTITY = "http_contact.front"


class Door:
    """A door contact that answers 0 or 1 by HTTP, and can be unplugged."""

    def __init__(self) -> None:
        self.says = b"0"
        door = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if door.says else 503)
                self.end_headers()
                self.wfile.write(door.says)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def door() -> Iterator[Door]:
    found = Door()
    yield found
    found.close()


def write(folder: Path, broker: Broker, door: Door) -> Path:
    """Write a site with the example of the page, as its readers would."""
    page = PAGE.read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (manifest,) = re.findall(r"```yaml\n(domain: .*?)```", page, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 35
    plugin = folder / "integrations" / "http_contact"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text(code, "utf-8")
    (plugin / "manifest.yaml").write_text(manifest, "utf-8")
    config = folder / "hub.yaml"
    config.write_text(
        "site: {id: test, name: 小区}\n"
        f"mqtt: {{url: {broker.url}}}\n"
        f"zones: {{front: {{kind: unit_door, name: 前门, bind: {{door: {ENTITY}}}}}}}\n"
        f"devices: {{http_contact: {{front: {{name: 前门, url: {door.url}}}}}}}\n",
        "utf-8",
    )
    return config


def test_the_example_of_the_page_works_and_survives_being_unplugged(
    tmp_path: Path, broker: Broker, hub_of: MakeHub, door: Door
) -> None:
    need_mosquitto()
    hub = hub_of(write(tmp_path / "site", broker, door))
    hub.start()

    def state() -> tuple[str | None, str]:
        found = hub.entities().get(ENTITY, {})
        return found.get("value"), found.get("quality", "none")

    until(state, lambda seen: seen == ("closed", "good"), within=15)
    door.says = b"1"
    until(state, lambda seen: seen == ("open", "good"), within=10)
    door.says = b""
    until(state, lambda seen: seen == ("open", "stale"), within=10)
    until(hub.problems, lambda found: any("front" in text and "HTTP 503" in text for text in found), within=5)
    door.says = b"0"
    until(state, lambda seen: seen == ("closed", "good"), within=20)
    until(hub.problems, lambda found: not any("front" in text for text in found), within=5)


def test_a_device_is_added_and_removed_by_api_without_a_restart(
    tmp_path: Path, broker: Broker, hub_of: MakeHub, door: Door
) -> None:
    need_mosquitto()
    config = write(tmp_path / "site", broker, door)
    whole = config.read_text("utf-8")
    config.write_text(whole.partition("devices:")[0], "utf-8")
    hub = hub_of(config)
    hub.start()
    assert ENTITY not in hub.entities()
    device = {"integration": "http_contact", "name": "front", "values": {"name": "前门", "url": door.url}}
    wrong = {**device, "values": {"name": "前门", "address": door.url}}
    status, answer = hub.send("POST", "devices", wrong)
    assert status == 422
    assert "`http_contact` has no `address`" in str(answer)
    assert hub.send("POST", "devices", device)[0] == 204
    until(lambda: hub.entities().get(ENTITY, {}).get("value"), lambda value: value == "closed", within=15)
    (shown,) = [item for item in hub.get("devices")["items"] if item["device"] == "front"]
    assert (shown["state"], shown["reason"]) == ("running", "")
    steps = hub.get("devices/http_contact/front/examination")["steps"]
    assert [(step["well"], step["advice"]) for step in steps] == [(True, None), (True, None)]
    assert hub.send("GET", "devices/http_contact/back/examination")[0] == 404
    assert hub.send("DELETE", "devices/http_contact/front")[0] == 204
    until(lambda: ENTITY in hub.entities(), lambda there: not there, within=15)
    assert not any("restart" in text for text in hub.problems())
    assert hub.family() == {hub.pid}, "the process of the device is gone"
