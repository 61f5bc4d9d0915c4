"""A network camera over a fire lane: JPEG snapshots over HTTP, H.264 over RTSP, with Basic or Digest log-in."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import web

from integrations.sim.broadcast import Broadcast
from integrations.sim.control import scene_routes
from integrations.sim.digest import Guard
from integrations.sim.lettering import words
from integrations.sim.process import Life, add_address, add_login, parser, run
from integrations.sim.rtsp import serving_rtsp
from integrations.sim.scene import Scene
from integrations.sim.web import Handler, serving

REALM = "Menshen Sim Camera"


def snapshot_route(broadcast: Broadcast, guard: Guard) -> web.RouteDef:
    """Return ``GET /snapshot.jpg``; the scene's own control needs no log-in, as it is no part of a real camera."""

    async def snapshot(request: web.Request) -> web.StreamResponse:
        verdict = guard.check(request.method, request.raw_path, request.headers.get("Authorization"))
        if verdict.passed:
            return web.Response(body=await broadcast.jpeg(), content_type="image/jpeg")
        answer = web.Response(status=401, text="log in\n")
        for challenge in guard.challenges(stale=verdict.stale):
            answer.headers.add("WWW-Authenticate", challenge)
        return answer

    handler: Handler = snapshot
    return web.get("/snapshot.jpg", handler)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the camera until cancelled."""
    zone = ZoneInfo(arguments.zone) if arguments.zone else None
    scene = await asyncio.to_thread(Scene, arguments.name, zone, arguments.glide)
    broadcast = await asyncio.to_thread(Broadcast, scene, arguments.fps)
    make = partial(Guard, arguments.auth, arguments.user, arguments.password, REALM)
    routes = scene_routes("vehicle", lambda value: scene.put(vehicle=value), lambda: {"vehicle": scene.vehicle})
    routes.append(snapshot_route(broadcast, make(algorithms=tuple(arguments.algorithm))))
    stream_guard = make(algorithms=("MD5",))  # what players know (RFC 2326 refers to RFC 2617)
    async with (
        serving(routes, arguments.http) as http,
        serving_rtsp(broadcast, stream_guard, arguments.rtsp) as rtsp,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(broadcast.run())
        life.ready(http=http, rtsp=rtsp)
        await life.over.wait()


def main() -> int:
    """Read the arguments and run."""
    options = parser("camera", __doc__)
    add_address(options, "--http", "snapshots at /snapshot.jpg, and PUT /scene")
    add_address(options, "--rtsp", "stream at /lane")
    options.add_argument("--auth", choices=("none", "basic", "digest"), help="default: digest if a user is given")
    add_login(options, "the log-in")
    options.add_argument(
        "--algorithm", nargs="+", choices=("SHA-256", "MD5"), default=["SHA-256", "MD5"], help="of Digest over HTTP"
    )
    options.add_argument("--name", default=words("3号楼北侧消防通道", "Fire lane north of building 3"), help="burnt in")
    options.add_argument("--zone", help="time zone of the burnt-in clock, such as Asia/Shanghai (default: local)")
    options.add_argument("--fps", type=int, default=25, help="pictures per second while somebody looks (%(default)s)")
    options.add_argument("--glide", type=float, default=2.0, metavar="S", help="a car drives so long (%(default)s)")
    arguments = options.parse_args()
    arguments.auth = arguments.auth or ("digest" if arguments.user else "none")
    if arguments.auth != "none" and not arguments.user:
        options.error("--auth needs --user and --password")
    return run("camera", live, arguments)


if __name__ == "__main__":
    sys.exit(main())
