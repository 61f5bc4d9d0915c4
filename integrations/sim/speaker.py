"""A network loudspeaker: RTP with G.711 (RFC 3550, RFC 3551), HTTP ``POST /play`` of a WAV, and Axis VAPIX.

Nothing is said twice: over RTP a repeat has the SSRC of the original, over HTTP its ``Idempotency-Key``. VAPIX has
nothing to tell a repeat by (developer.axis.com, Audio API, "Transmit audio": G.711 µ-law as it is spoken).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from aiohttp import web

from integrations.sim import g711
from integrations.sim.ledger import Ledger
from integrations.sim.listener import Listener, listening
from integrations.sim.process import Life, add_address, parser, run
from integrations.sim.speaker_page import speaker_page
from integrations.sim.utterances import Store, from_wav
from integrations.sim.web import serving

#: Largest WAV, in bytes: five minutes at 16 kHz. Longest key, in characters.
MAX_WAV, MAX_KEY = 10 * 1024 * 1024, 200


class Pages:
    """The HTTP side."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get("/", self.show),
            web.get("/utterances", self.list),
            web.delete("/utterances", self.clear),
            web.get("/utterances/{name}.wav", self.sound),
            web.post("/play", self.play),
            web.post("/axis-cgi/audio/transmit.cgi", self.transmit),
        ]

    async def show(self, _: web.Request) -> web.StreamResponse:
        """Show the page."""
        return speaker_page(self._store.said.values())

    async def list(self, _: web.Request) -> web.StreamResponse:
        """List what was said, newest first."""
        newest = sorted(self._store.said.values(), key=lambda one: one.started_at, reverse=True)
        return web.json_response([one.shown() for one in newest])

    async def clear(self, _: web.Request) -> web.StreamResponse:
        """Forget what was said."""
        self._listener.forget()
        self._store.clear()
        return web.Response(status=204)

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """Give one WAV; only names that are in the list lead to a file."""
        one = self._store.said.get(request.match_info["name"])
        if one is None or one.speaking:
            raise web.HTTPNotFound(text="no such utterance\n")
        return web.FileResponse(self._store.sound(one), headers={"Content-Type": "audio/wav"})

    async def play(self, request: web.Request) -> web.StreamResponse:
        """Say a WAV; the same key twice is said once."""
        key = request.headers.get("Idempotency-Key") or None
        volume = request.query.get("volume", "")
        if key is not None and len(key) > MAX_KEY:
            raise web.HTTPBadRequest(text=f"a key has at most {MAX_KEY} characters\n")
        if volume and not (volume.isascii() and volume.isdecimal() and int(volume[:4]) <= 100):
            raise web.HTTPBadRequest(text="volume goes from 0 to 100\n")
        try:
            samples, rate = from_wav(await request.read())
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        known = self._store.find(f"http:{key}") if key else None
        if known is not None:
            known.repeats += 1
            self._store.note(known)
            return web.json_response({"id": known.id, "repeat": True})
        one = self._store.begin("http", key=key)
        one.volume = int(volume) if volume else None
        self._store.end(one, samples, rate)
        return web.json_response({"id": one.id, "repeat": False})

    async def transmit(self, request: web.Request) -> web.StreamResponse:
        """Say what is sent while it is being sent; no sound at all only asks how to log in."""
        if request.content_type != "audio/basic":
            raise web.HTTPUnsupportedMediaType(text="expected audio/basic\n")
        if first := await request.content.readany():
            one = self._store.begin("axis", codec="pcmu")
            self._store.end(one, g711.decode(g711.PCMU, first + await request.read()))
        return web.Response(status=204)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the loudspeaker until cancelled."""
    store = Store(arguments.data, Ledger(arguments.ledger))
    store.load()
    listener = Listener(store)
    try:
        async with (
            listening(listener, arguments.rtp, arguments.multicast) as rtp,
            serving(Pages(store, listener).routes(), arguments.http, limit=MAX_WAV) as http,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(listener.run())
            life.ready(http=http, rtp=rtp)
            await life.over.wait()
    finally:
        listener.finish()


def main() -> int:
    """Read the arguments and run."""
    options = parser("speaker", __doc__)
    add_address(options, "--http", "page, list and POST /play")
    add_address(options, "--rtp", "RTP over UDP")
    options.add_argument("--multicast", metavar="GROUP", help="also listen to this group, on the port of --rtp")
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="where the sound is kept")
    options.add_argument("--ledger", type=Path, metavar="FILE", help="one fsynced JSON line per utterance")
    return run("speaker", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
