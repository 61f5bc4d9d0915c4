"""Secrets (S22, S14, S19): planted ones turn up nowhere, two installs share none, and names cannot forge a log line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.config.site import load_secrets
from hub.model.errors import ConfigError
from hub.web.routes import API, OTHER
from tests.kit.broker import free_port
from tests.kit.http import request
from tests.kit.hub import HubProcess
from tests.kit.mqtt import need_mosquitto
from tests.kit.site import ROOT, Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CANARY = "canary-7f3a9c-secret"
#: Long random texts: keys, hashes, passwords, salts.
_RANDOM = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")

_CODE = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4})+\b")


def site_with_secrets(folder: Path) -> HubProcess:
    """Return a hub whose devices have planted passwords, none of which can be reached."""
    config = write_site(folder / "site", {"listen": f"127.0.0.1:{free_port()}"}, Ends())
    site = json.loads(config.read_text())
    site["mqtt"]["accounts"] = True
    away = f"http://127.0.0.1:{free_port()}"
    secret = {"secret": "planted"}
    robot = {"secret": "robot"}
    site["devices"] = {
        "generic_camera": {"one": {"name": "甲", "snapshot": f"{away}/x.jpg", "user": "u", "password": secret}},
        "hikvision": {"two": {"name": "乙", "address": away, "user": "u", "password": secret}},
        "dahua": {"three": {"name": "丙", "address": away, "user": "u", "password": secret}},
        "onvif": {"four": {"name": "丁", "url": away, "user": "u", "password": secret}},
        "wecom": {"five": {"name": "群", "url": robot}},
        "axis_speaker": {"six": {"name": "喇叭", "url": away, "user": "u", "password": secret}},
    }
    config.write_text(json.dumps(site))
    short_rule(config, "1 s")
    secrets = config.parent / "secrets.yaml"
    secrets.write_text(f"planted: {CANARY}\nrobot: http://127.0.0.1:9/cgi-bin/webhook/send?key={CANARY}\n")
    secrets.chmod(0o600)
    return HubProcess(config, folder / "data")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    need_mosquitto()
    made = site_with_secrets(tmp_path_factory.mktemp("secrets"))
    made.start()
    until(lambda: {one["state"] for one in made.get("devices")["items"]}, within=20)
    try:
        yield made
    finally:
        made.close()


def token(hub: HubProcess, role: str) -> str:
    command = [sys.executable, "-m", "hub", "users", "token", f"{role} program", "--role", role]
    done = subprocess.run([*command, "--data", str(hub.data)], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("role", ["viewer", "guard", "manager", "admin"])
def test_no_answer_of_the_api_holds_a_secret(hub: HubProcess, role: str) -> None:
    bearer, asked = token(hub, role), 0
    for route in (*API, *OTHER):
        if route.method != "GET" or route.name in {"live", "backtest"}:
            continue
        path = route.path
        for name, value in {"{id}": "lane_3", "{domain}": "hikvision", "{device}": "two", "{plan}": "x"}.items():
            path = path.replace(name, value)
        _, body = request("GET", f"{hub.url.rstrip('/')}{re.sub(r'{[^}]+}', 'x', path)}", token=bearer, within=30)
        asked += 1
        assert CANARY.encode() not in body, path
        assert bearer.encode() not in body, path
    assert asked > 40


def test_no_log_line_and_no_command_line_holds_a_secret(hub: HubProcess) -> None:
    assert hub.said("hub.ready")
    for words in (hub.words(), hub.printed()):
        assert CANARY not in words
        assert hub.token not in words
    password = (hub.data / "broker" / "passwords").read_text()
    for pid in hub.family():
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert CANARY.encode() not in command + environment
        assert b"-P\0" not in command
    assert "$7$" in password


def test_the_data_folder_holds_the_secret_nowhere(hub: HubProcess) -> None:
    """Passwords of devices stay in secrets.yaml; the journal, from which reports and backups are made, has none."""
    files = [path for path in hub.data.rglob("*") if path.is_file()]
    assert any(path.name == "journal.sqlite3" for path in files)
    for path in files:
        assert CANARY.encode() not in path.read_bytes(), path


def test_diagnostics_hold_no_secret(hub: HubProcess) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "doctor", "--json", "-c", str(hub.config)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "hikvision" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_what_others_could_read_is_closed(hub: HubProcess) -> None:
    assert hub.data.stat().st_mode & 0o077 == 0
    secrets = hub.config.parent / "secrets.yaml"
    secrets.chmod(0o640)
    try:
        with pytest.raises(ConfigError, match="chmod 600"):
            load_secrets(hub.config.parent)
    finally:
        secrets.chmod(0o600)


def test_two_installs_share_no_secret(tmp_path: Path) -> None:
    """ThingsBoard CVE-2023-26462: a signing key that was shipped made anyone administrator."""
    need_mosquitto()
    found: list[set[bytes]] = []
    for name in ("first", "second"):
        hub = site_with_secrets(tmp_path / name)
        hub.start()
        try:
            code = until(lambda hub=hub: _CODE.search(hub.printed()), within=10, what="the code of the first run")  # type: ignore[misc]
            assert code is not None
            words = {code[0].encode(), hub.token.encode()}
            for command in (("tls", "init", "--host", "hub.local"), ("broker", "add", "lane_3")):
                line = [sys.executable, "-m", "hub", *command, "--data", str(hub.data)]
                out = subprocess.run(line, cwd=ROOT, capture_output=True, check=True).stdout
                words |= set(_RANDOM.findall(out)) if command[0] == "tls" else {out.split()[-1]}
            for path in (
                hub.data / "tls" / "ca.key",
                hub.data / "tls" / "server.key",
                hub.data / "broker" / "passwords",
            ):
                words |= {word for word in _RANDOM.findall(path.read_bytes()) if not word.startswith(b"MIG")}
            found.append(words)
        finally:
            hub.close()
    assert min(len(words) for words in found) >= 6
    shared = found[0] & found[1]
    assert shared == set()


def test_there_is_no_account_before_the_first_run(hub: HubProcess) -> None:
    for name, password in (
        ("admin", "admin"),
        ("admin", ""),
        ("root", "root"),
        ("menshen", "menshen"),
        ("console", ""),
    ):
        status, _ = request("POST", f"{hub.url}api/v1/session", {"name": name, "password": password})
        assert status in {401, 429}
    status, _ = request(
        "POST", f"{hub.url}api/v1/first-run", {"code": "AAAA-AAAA", "name": "me", "password": "a long enough one"}
    )
    assert status in {422, 429}


@pytest.mark.parametrize("name", ['车\n{"event": "forged"}', "\x1b[2J", "\u202egnp", "a\r\nb", "\u2028x", "\x00"])
def test_a_name_cannot_forge_a_log_line(hub: HubProcess, name: str) -> None:
    request("POST", f"{hub.url}api/v1/session", {"name": name, "password": name})
    request("GET", f"{hub.url}api/v1/zones/%0a%1b%5b2J", token=hub.token)
    words = hub.words()
    assert not set(words) & set("\x1b\u202e\x00\u2028\r")
    assert all(line.startswith("{") for line in words.split("\n")[:-1])
    assert hub.said("forged") == []
