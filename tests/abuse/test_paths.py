"""Path traversal (S17): every path parameter of every route, from the table; nothing outside is read or written."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from hub.journal.queries import add_token
from hub.web.routes import API, OTHER
from hub.web.routing import Route
from tests.kit.office import Office, office
from tests.unit.web.test_roles import BODIES

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = "root-of-all-evil"
#: Climbing, encoded once and twice, with NUL, absolute, with drives, with look-alikes of slash and dot, too long.
CLIMBS = [
    "../{target}",
    "../../{target}",
    "..%2f..%2f{target}",
    "%2e%2e%2f%2e%2e%2f{target}",
    "..%252f..%252f{target}",
    "%252e%252e%252f{target}",
    "....//....//{target}",
    "..\\..\\{target}",
    "..%5c..%5c{target}",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "/etc/passwd%00.jpg",
    "{target}%00",
    "C:%5cWindows%5cwin.ini",
    "file:%2f%2f%2fetc%2fpasswd",
    "..%c0%af..%c0%af{target}",
    "..%ef%bc%8f..%ef%bc%8f{target}",
    "%e2%80%a5%2f{target}",
    ".",
    "..",
    "...",
    "~root",
    "$HOME",
    "a" * 4_000,
    "data-secret",
    "-rf",
    "*",
]
_PARAMETER = re.compile(r"\{[^}]+\}")
ROUTES = [route for route in (*API, *OTHER) if "{" in route.path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Office, Path]]:
    """Lend an office with files around it that nobody may read."""
    folder = tmp_path_factory.mktemp("inside") / "site"
    folder.mkdir()
    async with office(folder) as found:
        for path in (folder.parent / "secret", folder / "data-secret", folder / "secrets.yaml"):
            path.write_text(f"a: {MARK}\n")
        (folder / "ui" / "assets" / "out").symlink_to(folder / "secrets.yaml")
        (folder / "ui" / "assets-secret").mkdir()
        (folder / "ui" / "assets-secret" / "x").write_text(MARK)
        await found.context.journal.execute(lambda db: add_token(db, "climber", "admin", "climber", found.clock.now()))
        yield found, folder


def files(folder: Path) -> dict[str, bytes]:
    """Return what stands around the office, without the journal, which counts requests."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "journal.sqlite3" not in path.name
    }


async def raw(desk: Office, method: str, target: str, body: bytes = b"{}") -> tuple[int, bytes]:
    """Send a request line as it is written: clients tidy paths up, attackers do not. Return status and answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.client.port)
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{desk.client.port}\r\nAuthorization: Bearer climber\r\n"
        f"X-Menshen: 1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1] or 0) if answer else 0, answer


async def test_every_parameter_is_tried() -> None:
    assert len(ROUTES) >= 25
    assert {route.name for route in ROUTES} >= {"evidence", "zone", "remove_device", "pushed"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_climbing_name_is_not_found(desk: tuple[Office, Path], route: Route) -> None:
    found, folder = desk
    before = files(folder.parent)

    body = json.dumps(BODIES.get(route.name, {})).encode()
    for climb in CLIMBS:
        name = climb.format(target="secrets.yaml")
        for parameter in range(len(_PARAMETER.findall(route.path))):
            path = route.path
            for number, match in enumerate(_PARAMETER.findall(route.path)):
                path = path.replace(match, name if number == parameter else "none", 1)
            status, answer = await raw(found, route.method, path, body)
            empty = b'"items":[]' in answer
            assert status in {0, 400, 403, 404, 405, 409, 413, 414, 422} or empty, (path, answer[:300])
            assert MARK.encode() not in answer
            assert b"root:" not in answer
            assert b"Traceback" not in answer
    after = files(folder.parent)
    assert {name for name in after if after[name] != before.get(name)} == set()
    assert set(before) - set(after) == set()


@pytest.mark.parametrize("climb", CLIMBS)
async def test_the_page_s_files_end_at_their_folder(desk: tuple[Office, Path], climb: str) -> None:
    found, _ = desk
    for base in ("/assets/", "/assets", "/assets/../", "/", "/api/v1/../../"):
        for target in ("secrets.yaml", "data-secret", "secret", "assets-secret/x"):
            status, answer = await raw(found, "GET", base + climb.format(target=target), b"")
            assert MARK.encode() not in answer, (base, climb, target)
            assert b"root:" not in answer
            assert status != 500, answer[:300]


async def test_a_link_out_of_the_page_s_folder_is_not_followed(desk: tuple[Office, Path]) -> None:
    found, _ = desk
    for target in ("/assets/out", "/assets-secret/x", "/assets/../assets-secret/x", "/assets/app.js/../out"):
        status, answer = await raw(found, "GET", target, b"")
        assert status in {403, 404}, target
        assert MARK.encode() not in answer


@pytest.mark.parametrize("query", ["entity", "zone", "cursor", "file", "at", "state", "limit"])
async def test_a_climbing_query_reads_nothing(desk: tuple[Office, Path], query: str) -> None:
    found, _ = desk
    for route in API:
        if route.method == "GET" and query in {name for name, _ in route.query}:
            for climb in CLIMBS:
                value = quote(climb.format(target="secrets.yaml"), safe="%")
                status, answer = await raw(found, "GET", f"{_PARAMETER.sub('none', route.path)}?{query}={value}", b"")
                assert status < 500, (route.path, climb, answer[:300])
                assert MARK.encode() not in answer
