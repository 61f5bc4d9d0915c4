"""The firmware of nodes by HTTP and by command: a real node is updated, and the audit knows who did it."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from firmware_bridge.image import parse
from firmware_bridge.tests.py_node import UdpNode
from firmware_bridge.update import Patience
from hub.cli import main
from hub.journal.store import FILE
from hub.web.firmware import LARGEST
from integrations.firmware_node.fleet import FLEET, KEY_FILE
from integrations.firmware_node.tests.site import Hub, free_port, opened
from tests.kit.office import Office, office
from tests.kit.patience import until

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ROLLOUT = "/api/v1/firmware/rollout"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    """Lend an office whose hub has no firmware."""
    async with office(tmp_path) as found:
        yield found


@pytest.fixture
def node() -> UdpNode:
    return UdpNode()


@pytest.fixture
async def equipped(tmp_path: Path, node: UdpNode) -> AsyncIterator[Office]:
    """Lend an office with one connected node."""
    port, pem = free_port(), KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / KEY_FILE).write_bytes(pem)
    FLEET.patience = Patience(answer=0.3, back=5, quiet=0.1, look=0.05)
    await node.join(port)
    async with office(tmp_path, lambda: FLEET) as desk:
        hub = Hub(tmp_path, desk.client.session)
        async with opened(hub, node, port):
            await until(lambda: hub.values("fault"))
            yield desk
            await FLEET.close()
    node.leave()


def cut(image: Path) -> Path:
    broken = image.with_suffix(".broken")
    broken.write_bytes(image.read_bytes()[:-1])
    return broken


def done_in(data: Path) -> list[tuple[str, str]]:
    """Return who did what, by the audit."""
    with closing(sqlite3.connect(data / FILE)) as db:
        return db.execute(
            "SELECT actor, action FROM audit WHERE action IN ('load_firmware', 'roll_out') ORDER BY seq"
        ).fetchall()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Sign an image as a person does."""
    (tmp_path / "body").write_bytes(bytes(5_000))
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    signed = tmp_path / "signed"
    command = ["firmware", "sign", str(tmp_path / "body"), "--key", str(tmp_path / "key.pem"), "-o", str(signed)]
    done = CliRunner().invoke(main, [*command, "--version", "2.0.0+7", "--model", "menshen-ref", "--security", "3"])
    assert done.exit_code == 0, done.output
    assert str(parse(signed.read_bytes()).version) == "2.0.0+7"
    return signed


async def menshen(desk: Office, *arguments: str, role: str = "admin") -> tuple[int, str]:
    """Run a command against the office, in a thread of its own as it blocks."""
    url = str(desk.client.make_url("/"))
    command = ["firmware", arguments[0], "--url", url, "--token", f"token-of-{role}", *arguments[1:]]
    done = await asyncio.to_thread(CliRunner().invoke, main, command)
    return done.exit_code, done.output


async def test_a_node_is_updated_by_command_and_the_audit_knows_by_whom(
    equipped: Office, node: UdpNode, image: Path
) -> None:
    assert (await menshen(equipped, "list"))[1].strip() == "✓ pole  menshen-ref  1.0.0"
    code, said = await menshen(equipped, "update", str(image), "--window", "any", "--quiet", "0.1")
    assert code == 0, said
    assert "menshen-ref 2.0.0+7: done" in said
    assert node.slots.version == "2.0.0+7"
    assert "pole: done" in (await menshen(equipped, "status"))[1]
    assert done_in(equipped.context.data) == [("admin", "load_firmware"), ("admin", "roll_out")]


async def test_a_revert_ends_the_command_with_1(equipped: Office, node: UdpNode, image: Path) -> None:
    node.crashes = True
    code, said = await menshen(equipped, "update", str(image), "--window", "any", "--quiet", "0.1")
    assert code == 1
    assert "back on the old one" in said


async def test_release_and_refusals_by_command(equipped: Office, node: UdpNode, image: Path) -> None:
    code, said = await menshen(equipped, "update", str(image), role="guard")
    assert (code, said.strip()) == (1, "this needs the role admin")
    broken = cut(image)
    assert "the image is cut" in (await menshen(equipped, "update", str(broken)))[1]
    assert "no node door is connected" in (await menshen(equipped, "update", str(image), "--node", "door"))[1]
    assert (await menshen(equipped, "update", str(image), "--window", "1-2"))[0] == 2
    assert "no roll-out is running" in (await menshen(equipped, "stop"))[1]
    assert (await menshen(equipped, "release", "pole"))[0] == 0
    assert not node.key
    assert "no node door" in (await menshen(equipped, "release", "door"))[1]


async def test_an_image_larger_than_any_node_s_is_refused(equipped: Office) -> None:
    answer = await equipped.ask("/api/v1/firmware/image", "admin", "PUT", data=io.BytesIO(bytes(LARGEST + 1)))
    assert answer.status == 413


async def test_a_hub_without_nodes_says_so(desk: Office) -> None:
    answer = await desk.ask("/api/v1/firmware")
    assert await answer.json() == {"units": [], "rollout": None}
    assert (await desk.ask(ROLLOUT, "admin", "DELETE")).status == 404


async def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    command = ["firmware", "list", "--url", f"http://127.0.0.1:{free_port()}", "--token", "x"]
    done = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert done.exit_code == 1
    assert "cannot be asked" in done.output
