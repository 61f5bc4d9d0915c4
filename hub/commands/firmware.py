"""``menshen firmware``: sign images, see what runs where, roll an image out and follow it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from hub.commands.history import JSON, fail

if TYPE_CHECKING:
    from hub.web.schema import FirmwareOut

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\+(\d{1,10}))?\Z")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z")
#: Seconds between two looks at a roll-out, and for one request.
LOOK, ASKING = 2.0, 30.0
Command = TypeVar("Command", bound=Callable[..., Any])


def _hub(command: Command) -> Command:
    """Say where the hub is and who asks."""
    url = click.option("--url", default="http://127.0.0.1:8420", show_default=True, help="address of the hub's page")
    token = click.option(
        "--token", envvar="MENSHEN_TOKEN", required=True, help="a token of `menshen users token` [MENSHEN_TOKEN]"
    )
    return url(token(command))


@click.group()
def firmware() -> None:
    """Firmware of community nodes: sign, roll out, follow."""


@firmware.command()
@click.argument("body", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="private key, Ed25519 in PEM; keep it away from the hub")
@click.option("--version", "version_text", required=True, help="like 1.2.3 or 1.2.3+45")
@click.option("--model", required=True, help="model of the nodes that it is for")
@click.option("--security", type=click.IntRange(0, (1 << 32) - 1), required=True, help="never less than before")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
def sign(body: Path, key: Path, version_text: str, model: str, security: int, output: Path) -> None:
    """Make a signed image of the program BODY."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from firmware_bridge.errors import BadImage
    from firmware_bridge.image import Version, build

    found = _VERSION.match(version_text)
    if found is None:
        raise click.BadParameter("write it like 1.2.3 or 1.2.3+45", param_hint="--version")
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (ValueError, TypeError):
        fail(f"{key} is no private key in PEM without a password")
    if not isinstance(private, Ed25519PrivateKey):
        fail(f"{key} is no Ed25519 key; make one with: openssl genpkey -algorithm ed25519")
    numbers = [int(part or 0) for part in found.groups()]
    try:
        image = build(body.read_bytes(), Version(*numbers), model, security, private)
    except BadImage as error:
        fail(error.reason)
    output.write_bytes(image)
    click.echo(f"{output}: {len(image)} bytes, {model} {version_text}, security counter {security}")


@firmware.command(name="list")
@_hub
@JSON
def list_(url: str, token: str, as_json: bool) -> None:
    """Show what runs where."""
    found = _state(url, token)
    if as_json:
        click.echo(msgspec.json.encode(found.units))
        return
    for unit in found.units:
        click.echo(f"{'✓' if unit.online else '✗'} {unit.name}  {unit.model}  {unit.version}")


@firmware.command()
@_hub
@click.argument("image", type=_FILE)
@click.option("--node", "nodes", multiple=True, help="a node's name in hub.yaml; default: all of the image's model")
@click.option("--window", default="01:00-05:00", show_default=True, help="local time in which to begin, or `any`")
@click.option("--quiet", type=click.FloatRange(0, 86_400), default=300.0, show_default=True, help="seconds of proof")
@click.option("--hours", type=click.FloatRange(0, 336, min_open=True), default=24.0, show_default=True)
@click.option("--follow/--no-follow", default=True, show_default=True)
def update(
    url: str, token: str, image: Path, nodes: tuple[str, ...], window: str, quiet: float, hours: float, follow: bool
) -> None:
    """Roll IMAGE out: to one node, to a tenth, to the rest; the first revert stops it."""
    from hub.web.schema import RolloutIn

    begin, end = _minutes(window)
    loaded = _ask(url, token, "PUT", "/api/v1/firmware/image", image.read_bytes())
    digest = msgspec.json.decode(loaded)["digest"]
    order = RolloutIn(digest, nodes, begin, end, quiet, hours)
    _ask(url, token, "POST", "/api/v1/firmware/rollout", msgspec.json.encode(order))
    if follow:
        _follow(url, token)


@firmware.command()
@_hub
@JSON
def status(url: str, token: str, as_json: bool) -> None:
    """Show the roll-out, node by node."""
    found = _state(url, token)
    click.echo(msgspec.json.encode(found) if as_json else "\n".join(_lines(found)))


@firmware.command()
@_hub
def stop(url: str, token: str) -> None:
    """Begin with no further node; those under way go on to their end."""
    _ask(url, token, "DELETE", "/api/v1/firmware/rollout")


@firmware.command()
@_hub
@click.argument("node")
def release(url: str, token: str, node: str) -> None:
    """Give up the ownership of NODE, so that another hub can claim it."""
    from urllib.parse import quote

    _ask(url, token, "DELETE", f"/api/v1/firmware/devices/{quote(node, safe='')}/owner")


def _minutes(window: str) -> tuple[int, int]:
    if window == "any":
        return 0, 0
    found = _WINDOW.match(window)
    if found is None:
        raise click.BadParameter("write it like 01:00-05:00, or `any`", param_hint="--window")
    hours, minutes, end_hours, end_minutes = (int(part) for part in found.groups())
    return hours * 60 + minutes, end_hours * 60 + end_minutes


def _follow(url: str, token: str) -> None:
    """Print what changes until the roll-out has ended; exit 1 when it did not end well."""
    shown: list[str] = []
    while True:
        found = _state(url, token)
        lines = _lines(found)
        for line in lines:
            if line not in shown:
                click.echo(line)
        shown = lines
        rollout = found.rollout
        if rollout is None or rollout.outcome != "running":
            if rollout is None or rollout.outcome != "done":
                fail("not finished")
            return
        time.sleep(LOOK)


def _lines(found: FirmwareOut) -> list[str]:
    rollout = found.rollout
    if rollout is None:
        return ["没有升级任务 no roll-out"]
    image = rollout.image
    first = f"{image.model} {image.version}: {rollout.outcome} {rollout.reason} ({rollout.by})"
    return [
        first,
        *(
            f"  {unit.name}: {unit.stand} {unit.phase} {unit.share:.0%} {unit.reason}".rstrip()
            for unit in found.units
            if unit.stand
        ),
    ]


def _state(url: str, token: str) -> FirmwareOut:
    from hub.web.schema import FirmwareOut

    return msgspec.json.decode(_ask(url, token, "GET", "/api/v1/firmware"), type=FirmwareOut)


def _ask(url: str, token: str, method: str, path: str, data: bytes | None = None) -> bytes:
    """Ask the running hub. Exits 1 with its own sentence where it refuses."""
    return asyncio.run(_asked(url.rstrip("/") + path, token, method, data))


async def _asked(url: str, token: str, method: str, data: bytes | None) -> bytes:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=ASKING)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=timeout) as http,
            http.request(method, url, data=data, headers=headers, allow_redirects=False) as answer,
        ):
            body = await answer.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        fail(f"the hub at {url} cannot be asked ({type(error).__name__}): {error}")
    if answer.status >= 300:
        try:
            fail(str(msgspec.json.decode(body)["message"]))
        except (msgspec.DecodeError, KeyError, TypeError):
            fail(f"the hub answered {answer.status}")
    return body
