"""A small estate: all simulated devices as child processes on fixed ports, and a page to play with them.

Ports from the base: +1 camera HTTP, +2 camera RTSP, +3 loudspeaker HTTP, +4 loudspeaker RTP, +5 notifications,
+6 this page, +7 control of the magnetometer, +8 of the door, +9 of the lift, +11 the lift's Modbus, +12 control of the
smoke detector, whose serial line is the file ``smoke_board`` below --data, +13 control of the community nodes, one of
which is on the line ``node`` there, +15 control of the north gate, whose OSDP line is ``reader`` there, +16 mail (+0 is
the hub's page, +10 the broker, +14 the hub's socket for nodes). Building 6 is started with ``--late`` when the hub's
page answers: +17 and +23 its control, +18 Dahua, +19 Hikvision, +20 ONVIF, +21 Modbus, +22 BACnet.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from integrations.sim.child import STOP, Child, DidNotStart
from integrations.sim.estate_page import estate_page
from integrations.sim.process import PASSWORD, Address, Life, add_address, add_login, parser, run
from integrations.sim.story import Story, Told
from integrations.sim.web import json_body, serving
from integrations.sim.webhook import headline

HOST = "127.0.0.1"
PORTS = {
    "camera": 1, "rtsp": 2, "speaker": 3, "rtp": 4, "webhook": 5, "page": 6, "magnetometer": 7, "zigbee_door": 8,
    "lift": 9, "modbus": 11, "smoke_board": 12, "nodes": 13, "gate": 15, "smtp": 16,
    "quarter": 17, "dahua": 18, "hikvision": 19, "onvif": 20, "contacts": 21, "bacnet": 22, "bacnet_lift": 23,
}  # fmt: skip
TITLES = {
    "camera": "摄像机",
    "speaker": "网络喇叭",
    "webhook": "通知接收端",
    "magnetometer": "地磁车位检测器",
    "zigbee_door": "单元门门磁",
    "lift": "电梯控制器",
    "smoke_board": "烟感（串口）",
    "nodes": "社区节点（3 个）",
    "gate": "北门车位与屋面门（LoRaWAN、原始磁场、OSDP）",
    "quarter": "6号楼（大华、海康、ONVIF、OneNET、干接点、蓝牙）",
    "bacnet_lift": "6号楼电梯（BACnet）",
}
#: Which devices see which part of the scene.
SEEN_BY = {
    "vehicle": ("camera", "magnetometer"),
    "unfelt": ("camera",),
    "open": ("zigbee_door",),
    "alarm": ("lift",),
    "smoke": ("smoke_board",),
    "entrance": ("nodes",),
    "bay": ("nodes",),
    "plant": ("nodes",),
    "gate": ("gate",),
    "roof": ("gate",),
    "card": ("gate",),
    **dict.fromkeys(("lane6", "bay7", "west", "fall", "ebike", "pump", "cellar"), ("quarter",)),
    "lift6": ("bacnet_lift",),
}
#: What a device calls it otherwise: a vehicle beside the magnetometer is one that only the camera sees.
CALLED = {"unfelt": "vehicle"}
#: What can join later.
LATE = ("quarter", "bacnet_lift")
#: What happens and is over: a device that is shown the scene again must not see it twice.
MOMENTS = {"card", "fall"}
#: Where the hub listens for nodes, from the base.
HUB_UDP = 14
#: Seconds for one request to a device on this machine.
PATIENCE = aiohttp.ClientTimeout(total=3)
#: Seconds it may take to end: its devices end first, all at once, each in up to twice STOP.
LAST = 2 * STOP + 1
#: Seconds between two looks whether the hub is up.
LOOK = 0.3


class Estate:
    """The devices and the scene they shall see."""

    def __init__(self, arguments: argparse.Namespace, http: aiohttp.ClientSession) -> None:
        self.scene = dict.fromkeys(SEEN_BY, False)
        self.story = Story(arguments.stay, lambda vehicle: self.change("vehicle", vehicle))
        self.ports = {name: arguments.base_port + offset for name, offset in PORTS.items()}
        self.children = _children(arguments, self._at)
        self.late = _late(arguments, self._at)
        self._hub = f"http://{HOST}:{arguments.base_port}/readyz"
        self._http = http
        self._login: dict[str, Any] = {}
        if arguments.user and arguments.auth == "basic":
            self._login = {"headers": {"Authorization": aiohttp.encode_basic_auth(arguments.user, arguments.password)}}
        elif arguments.user:
            self._login = {"middlewares": (aiohttp.DigestAuthMiddleware(arguments.user, arguments.password),)}

    async def change(self, field: str, value: bool) -> None:
        """Change the scene and show it to the devices that are up; the others see it when they come up."""
        self.scene[field] = value
        await asyncio.gather(*(self.show(child) for child in self.children if child.name in SEEN_BY[field]))
        if field in MOMENTS:
            self.scene[field] = False

    async def show(self, child: Child) -> None:
        """Show one device its part of the scene."""
        shown: dict[str, bool] = {}
        for field in (field for field, names in SEEN_BY.items() if child.name in names):
            word = CALLED.get(field, field)
            shown[word] = shown.get(word, False) or self.scene[field]
        for word, value in shown.items():
            if child.up:
                try:
                    async with self._http.put(f"{self._url(child.name)}/scene", json={word: value}, timeout=PATIENCE):
                        pass
                except (aiohttp.ClientError, TimeoutError):
                    pass  # it has just died; it is shown the scene when it is up again

    async def get(self, name: str, path: str) -> tuple[int, bytes]:
        """Return status and body of a device's answer; 503 when it does not answer."""
        more = self._login if name == "camera" else {}
        try:
            async with self._http.get(self._url(name) + path, timeout=PATIENCE, **more) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return 503, b""

    async def items(self, name: str, path: str) -> list[dict[str, Any]]:
        """Return a device's list; empty when it does not answer."""
        try:
            async with self._http.get(self._url(name) + path, timeout=PATIENCE) as answer:
                found: list[dict[str, Any]] = await answer.json()
                return found
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return []

    async def hub_is_up(self) -> None:
        """Return when the page of the hub answers, whatever it says."""
        while True:
            try:
                async with self._http.get(self._hub, timeout=PATIENCE):
                    return
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(LOOK)

    def _at(self, name: str) -> str:
        return f"{HOST}:{self.ports[name]}"

    def _url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"


def _children(arguments: argparse.Namespace, at: Callable[[str], str]) -> list[Child]:
    data: Path = arguments.data
    broker = f"{arguments.mqtt.host}:{arguments.mqtt.port}"
    camera = ["--http", at("camera"), "--rtsp", at("rtsp")]
    if arguments.user:
        camera += ["--user", arguments.user, "--auth", arguments.auth]
    camera += ["--zone", arguments.zone, "--fps", str(arguments.fps)]
    mqtt = ["--mqtt", broker]
    if arguments.mqtt_user:
        mqtt += ["--user", arguments.mqtt_user, "--password", arguments.mqtt_password]
    speaker = ["--http", at("speaker"), "--rtp", at("rtp"), "--data", str(data / "speaker")]
    if arguments.multicast:
        speaker += ["--multicast", arguments.multicast]
    magnetometer = [*mqtt, "--control", at("magnetometer"), "--id", arguments.lane, "--heartbeat", "5"]
    magnetometer += ["--name", arguments.lane_name]
    door = [*mqtt, "--control", at("zigbee_door"), "--id", arguments.door]
    nodes = ["--hub", f"{HOST}:{arguments.base_port + HUB_UDP}", "--control", at("nodes")]
    nodes += ["--signer", arguments.signer] if arguments.signer else []
    nodes += ["--link", str(data / "node"), "--data", str(data / "nodes")]
    gate = ["--mqtt", broker, "--control", at("gate"), "--hub", f"{HOST}:{arguments.base_port}"]
    gate += ["--link", str(data / "reader")]
    if arguments.mqtt_user:
        gate += ["--user-mqtt", arguments.mqtt_user, "--password-mqtt", arguments.mqtt_password]
    devices = {
        "camera": camera,
        "speaker": speaker,
        "webhook": ["--http", at("webhook"), "--smtp", at("smtp")],
        "magnetometer": magnetometer,
        "zigbee_door": door,
        "lift": ["--modbus", at("modbus"), "--control", at("lift")],
        "smoke_board": ["--link", str(data / "smoke_board"), "--control", at("smoke_board")],
        "nodes": nodes,
        "gate": gate,
    }
    return _named(devices, arguments)


def _late(arguments: argparse.Namespace, at: Callable[[str], str]) -> list[Child]:
    """Return what is started when the hub is up."""
    hub = f"{HOST}:{arguments.base_port}"
    quarter = ["--control", at("quarter"), "--hub", hub, "--bus", arguments.bus, "--zone", arguments.zone]
    quarter += ["--dahua", at("dahua"), "--hikvision", at("hikvision"), "--onvif", at("onvif")]
    devices = {
        "quarter": [*quarter, "--modbus", at("contacts")],
        "bacnet_lift": ["--bacnet", at("bacnet"), "--control", at("bacnet_lift")],
    }
    return _named({name: options for name, options in devices.items() if name in arguments.late}, arguments)


def _named(devices: dict[str, list[str]], arguments: argparse.Namespace) -> list[Child]:
    environment = {**os.environ, "TZ": arguments.zone, PASSWORD: arguments.password}
    return [Child(name, tuple(options), environment) for name, options in devices.items()]


class Pages:
    """The HTTP side."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get("/", self.page),
            web.get("/state", self.state),
            web.get("/picture.jpg", self.picture),
            web.get("/sound/{name:[0-9A-Za-z-]{1,64}}", self.sound),
            web.post("/story", self.story),
            web.post("/scene", self.scene),
        ]

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Show the page."""
        return estate_page()

    async def state(self, _: web.Request) -> web.StreamResponse:
        """Say everything the page shows."""
        estate = self._estate
        utterances, messages = await asyncio.gather(
            estate.items("speaker", "/utterances"), estate.items("webhook", "/messages")
        )
        return web.json_response(
            {
                "scene": estate.scene,
                "story": {"running": estate.story.running, "left": round(estate.story.left, 1)},
                "ports": estate.ports,
                "devices": [
                    {"name": c.name, "zh": TITLES[c.name], "up": c.up, "restarts": c.restarts, "pid": c.pid}
                    for c in estate.children
                ],
                "utterances": utterances[:20],
                "messages": [m | {"headline": headline(m["body"])} for m in messages[:20]],
            }
        )

    async def picture(self, _: web.Request) -> web.StreamResponse:
        """Pass on the camera's picture."""
        status, body = await self._estate.get("camera", "/snapshot.jpg")
        return web.Response(status=status, body=body, content_type="image/jpeg")

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """Pass on one of the loudspeaker's sounds."""
        status, body = await self._estate.get("speaker", f"/utterances/{request.match_info['name']}.wav")
        return web.Response(status=status, body=body, content_type="audio/wav")

    async def story(self, _: web.Request) -> web.StreamResponse:
        """Play the story."""
        try:
            self._estate.story.play()
        except Told as told:
            raise web.HTTPConflict(text=f"{told}\n") from None
        return web.json_response({"stay": self._estate.story.stay}, status=202)

    async def scene(self, request: web.Request) -> web.StreamResponse:
        """Change the scene."""
        body = await json_body(request)
        if not body or not set(body) <= set(SEEN_BY) or not all(isinstance(value, bool) for value in body.values()):
            raise web.HTTPBadRequest(text=f"expected true or false for some of {', '.join(SEEN_BY)}\n")
        for field, value in body.items():
            await self._estate.change(field, value)
        return web.json_response(self._estate.scene)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the estate until cancelled."""
    async with aiohttp.ClientSession() as http:
        estate = Estate(arguments, http)
        try:
            started = await asyncio.gather(*(child.start() for child in estate.children), return_exceptions=True)
            for failure in filter(None, started):
                raise failure
            async with (
                serving(Pages(estate).routes(), Address(HOST, estate.ports["page"])),
                asyncio.TaskGroup() as group,
            ):
                for child in estate.children:
                    group.create_task(child.watch(estate.show))
                if arguments.auto is not None:
                    group.create_task(_later(arguments.auto, estate.story))
                life.ready(**estate.ports)
                if estate.late:
                    group.create_task(_join(estate, life, group))
                await life.over.wait()
        finally:
            await estate.story.stop()
            await asyncio.gather(*(child.stop() for child in [*estate.children, *estate.late]))


async def _join(estate: Estate, life: Life, group: asyncio.TaskGroup) -> None:
    """Start what joins later, and say which of it is up."""
    await estate.hub_is_up()
    started = await asyncio.gather(*(child.start() for child in estate.late), return_exceptions=True)
    for child, failure in zip(estate.late, started, strict=True):
        if failure is not None:
            sys.stderr.write(f"estate: {failure}\n")
            continue
        estate.children.append(child)
        group.create_task(child.watch(estate.show))
        await estate.show(child)
    life.say(late=[child.name for child in estate.late if child.up])


async def _later(seconds: float, story: Story) -> None:
    await asyncio.sleep(seconds)
    if not story.running:
        story.play()


def main() -> int:
    """Read the arguments and run."""
    options = parser("estate", __doc__)
    options.add_argument("--base-port", type=int, required=True, metavar="N", help="first of 24 ports")
    add_address(options, "--mqtt", "broker", "127.0.0.1:1883")
    options.add_argument("--mqtt-user", help="user of the sensors at the broker")
    options.add_argument("--mqtt-password", default="", help="password of the sensors at the broker")
    options.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="where the loudspeaker keeps its sound"
    )
    options.add_argument("--stay", type=float, default=24.0, metavar="S", help="of the story's car (%(default)s)")
    options.add_argument(
        "--auto", type=float, nargs="?", const=5.0, metavar="S", help="play the story S (5) s after start"
    )
    add_login(options, "the camera")
    options.add_argument("--auth", choices=("basic", "digest"), default="digest", help="with --user (%(default)s)")
    options.add_argument("--fps", type=int, default=5, help="pictures per second of the camera's stream (%(default)s)")
    options.add_argument("--zone", default="Asia/Shanghai", help="time zone of all the devices' clocks (%(default)s)")
    options.add_argument("--multicast", metavar="GROUP", help="the loudspeaker also listens to this group")
    options.add_argument("--lane", default="lane_3", help="id of the magnetometer (%(default)s)")
    options.add_argument("--lane-name", default="3号楼北侧地磁", help="name of the magnetometer (%(default)s)")
    options.add_argument("--late", nargs="+", default=(), choices=LATE, help="what joins when the hub is up")
    options.add_argument("--bus", default="", metavar="ADDRESS", help="D-Bus to start, for a door by Bluetooth")
    options.add_argument("--signer", default="", metavar="HEX", help="public key of who signs the nodes' images")
    options.add_argument("--door", default="unit_5_1", help="name of the door (%(default)s)")
    arguments = options.parse_args()
    try:
        return run("estate", live, arguments, grace=LAST)
    except DidNotStart as error:
        sys.stderr.write(f"estate: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
