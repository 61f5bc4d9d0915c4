"""Each program: one ready line, a clean end, and no life without its parent."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import socket
import sys
import textwrap
from pathlib import Path

import pytest

import integrations.sim
from tests.kit.program import Program

NAMES = ("camera", "speaker", "webhook", "magnetometer", "zigbee_door", "gate")


def arguments(name: str, tmp_path: Path) -> tuple[str, ...]:
    if name == "speaker":
        return ("--data", str(tmp_path))
    if name == "gate":
        return ("--mqtt", "127.0.0.1:1", "--hub", "127.0.0.1:1", "--link", str(tmp_path / "reader"))
    return ("--mqtt", "127.0.0.1:1") if name in {"magnetometer", "zigbee_door"} else ()


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_soon_and_says_nothing_more(name: str, tmp_path: Path) -> None:
    program = Program(f"integrations.sim.{name}", *arguments(name, tmp_path))
    with program:
        assert all(port > 0 for port in program.ports.values())
        code, out, errors = program.terminate()
    assert (code, out, errors) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
async def test_it_ends_with_its_parent(name: str, tmp_path: Path) -> None:
    script = """
        import os, subprocess, sys
        child = subprocess.Popen([sys.executable, "-m", *sys.argv[1:], "--parent", str(os.getpid())])
        print(child.pid, flush=True)
        child.wait()
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(script),
        f"integrations.sim.{name}",
        *arguments(name, tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    async with asyncio.timeout(20):
        assert b'"ready": true' in await parent.stdout.readline()
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    async with asyncio.timeout(20):
        rest = await parent.stdout.read()  # ends when the child, too, has let go of the pipe
    assert rest == b""
    assert child > 0


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("camera", "--http"),
        ("camera", "--rtsp"),
        ("speaker", "--http"),
        ("speaker", "--rtp"),
        ("webhook", "--http"),
        ("magnetometer", "--control"),
        ("zigbee_door", "--control"),
        ("gate", "--control"),
    ],
)
def test_a_port_in_use_is_said_in_one_line(name: str, option: str, tmp_path: Path) -> None:
    kind = socket.SOCK_DGRAM if option == "--rtp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        program = Program(f"integrations.sim.{name}", option, where, *arguments(name, tmp_path))
        with pytest.raises(RuntimeError, match=rf"{name}: .*in use") as caught, program:
            pass
    assert "Traceback" not in str(caught.value)


def test_nothing_here_imports_the_hub() -> None:
    folder = Path(integrations.sim.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            assert not [name for name in names if name.partition(".")[0] == "hub"], path.name
