"""TLS with one command: the page and the broker by an own authority or a given certificate; others' clients ask."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.model.errors import TlsError
from hub.runtime import certificates
from hub.runtime.mqtt.accounts import Accounts
from hub.runtime.tls import FOLDER, Keeper, pair_of
from tests.kit.broker import free_port
from tests.kit.hub import HubProcess
from tests.kit.mqtt import need_mosquitto
from tests.kit.site import ROOT, Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def menshen(*words: str) -> str:
    command = [sys.executable, "-m", "hub", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout


def openssl(*words: str, given: str = "") -> str:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def hub_with_tls(folder: Path) -> tuple[HubProcess, int]:
    """Return a hub, not started, whose page and broker ask for TLS, and the port of its broker."""
    port = free_port()
    hub = HubProcess(write_site(folder / "site", {}, Ends()), folder / "data")
    site = json.loads(hub.config.read_text())
    site["mqtt"] = {"listen": f"127.0.0.1:{port}", "accounts": True, "tls": True}
    site["web"] = {"listen": "127.0.0.1:0", "tls": True}
    hub.config.write_text(json.dumps(site))
    short_rule(hub.config, "1 s")
    return hub, port


class Served:
    """A hub that serves by its own authority."""

    def __init__(self, folder: Path) -> None:
        self.hub, self.mqtt = hub_with_tls(folder)
        menshen("tls", "init", "--host", "localhost", "--host", "127.0.0.1", "--data", str(self.hub.data))
        self.password = Accounts(self.hub.data / "broker").add("lane_3")
        self.authority = self.hub.data / FOLDER / "ca.crt"
        self.hub.start()

    @property
    def address(self) -> str:
        return self.hub.url.removeprefix("https://").strip("/")

    async def get(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        context = ssl.create_default_context(cafile=str(self.authority))
        headers = {"Authorization": f"Bearer {self.hub.token}"}
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.hub.url}{path}", ssl=context, headers=headers) as answer,
        ):
            return answer.status, await answer.read(), dict(answer.headers)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    need_mosquitto()
    made = Served(tmp_path_factory.mktemp("tls"))
    try:
        yield made
    finally:
        made.hub.close()


async def test_the_page_is_served_to_who_trusts_the_authority(served: Served) -> None:
    assert served.hub.url.startswith("https://")
    status, body, headers = await served.get("api/v1/certificate")
    said: dict[str, Any] = json.loads(body)
    assert status == 200
    assert said["hosts"] == ["localhost", "127.0.0.1"]
    assert "Strict-Transport-Security" not in headers, "our own authority is not trusted by everyone yet"
    printed = openssl("x509", "-in", str(served.authority), "-noout", "-fingerprint", "-sha256")
    assert said["authority_sha256"].upper() in printed
    status, body, headers = await served.get("ca.crt")
    assert (status, headers["Content-Type"]) == (200, "application/x-x509-ca-cert")
    assert body == served.authority.read_bytes()


async def test_who_does_not_trust_it_is_warned(served: Served) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.get(served.hub.url)


def test_openssl_takes_the_chain_and_finds_no_old_protocol(served: Served) -> None:
    seen = openssl("s_client", "-connect", served.address, "-CAfile", str(served.authority),
                   "-verify_hostname", "localhost", "-verify_return_error")  # fmt: skip
    assert "Verify return code: 0 (ok)" in seen
    for old in ("-tls1", "-tls1_1"):
        seen = openssl("s_client", "-connect", served.address, old, "-cipher", "ALL:@SECLEVEL=0")
        assert "Cipher is (NONE)" in seen, old
        broker = openssl("s_client", "-connect", f"127.0.0.1:{served.mqtt}", old, "-cipher", "ALL:@SECLEVEL=0")
        assert "Cipher is (NONE)" in broker, old
    assert "Cipher is (NONE)" not in openssl("s_client", "-connect", served.address, "-tls1_2")


def test_a_session_cookie_is_for_https_only(served: Served) -> None:
    context = ssl.create_default_context(cafile=str(served.authority))
    host, _, port = served.address.partition(":")
    link = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
    try:
        body = json.dumps({"token": served.hub.token})
        link.request("POST", "/api/v1/session", body, {"X-Menshen": "1", "Content-Type": "application/json"})
        cookie = link.getresponse().getheader("Set-Cookie") or ""
    finally:
        link.close()
    for word in ("Secure", "HttpOnly", "SameSite=Strict"):
        assert word in cookie


def test_a_device_talks_by_tls_and_without_is_refused(served: Served) -> None:
    words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(served.mqtt), "-u", "lane_3", "-P", served.password]
    words += ["-q", "1", "-t", "lane_3/x", "-m", "1"]
    trusting = [*words, "--cafile", str(served.authority)]
    assert subprocess.run(trusting, capture_output=True, timeout=20, check=False).returncode == 0
    assert subprocess.run(words, capture_output=True, timeout=20, check=False).returncode != 0
    assert served.hub.said("mqtt.connected"), "the hub's own link trusts its broker"


def test_files_are_for_the_hub_alone(served: Served) -> None:
    folder = served.hub.data / FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_given_certificate_is_served_with_hsts(tmp_path: Path) -> None:
    need_mosquitto()
    elsewhere = tmp_path / "elsewhere"
    certificates.create(elsewhere, ["hub.example.com"], datetime.now(UTC))
    hub, _ = hub_with_tls(tmp_path)
    pair = ("--cert", str(elsewhere / "server.crt"), "--key", str(elsewhere / "server.key"))
    assert "hub.example.com" in menshen("tls", "init", *pair, "--data", str(hub.data))
    hub.start()
    try:
        until(lambda: hub.said("mqtt.connected"), within=10, what="the link, which has no name to compare")
        address = hub.url.removeprefix("https://").strip("/")
        seen = openssl("s_client", "-connect", address, "-quiet", "-ign_eof", given="GET /healthz HTTP/1.0\r\n\r\n")
        assert "Strict-Transport-Security: max-age=31536000" in seen
        assert "Set-Cookie" not in seen
    finally:
        hub.close()


def test_a_hub_without_its_certificate_does_not_fall_back_to_http(tmp_path: Path) -> None:
    hub, _ = hub_with_tls(tmp_path)
    code, said = hub.run_again()
    assert (code, "menshen tls init" in said) == (1, True)


def test_the_authority_can_name_nobody_else(tmp_path: Path) -> None:
    certificates.create(tmp_path, ["hub.local", "203.0.113.7"], NOW)
    for host in ("www.bank.example", "8.8.8.8", "local.example", "xlocal"):
        with pytest.raises(TlsError, match="--new-authority"):
            certificates.issue(tmp_path, [host], NOW)
    for host in ("other.local", "192.168.7.7", "203.0.113.7", "::1"):
        certificates.issue(tmp_path, [host], NOW)


@pytest.mark.parametrize(
    "host", ["", "a b", "-x", "x" * 64, "a..b", "1.2.3", "*.local", "a\nb", "bücher.de", "999.1.1.1"]
)
def test_what_is_no_host_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(TlsError):
        certificates.create(tmp_path / "tls", [host], NOW)


def test_openssl_holds_the_constraint_against_a_stolen_key(tmp_path: Path) -> None:
    """The thief signs with the authority's key for a bank: who trusts our authority still refuses it."""
    certificates.create(tmp_path, ["hub.local"], datetime.now(UTC))
    key, wanted, made = (str(tmp_path / name) for name in ("t.key", "t.csr", "t.crt"))
    names = tmp_path / "names"
    names.write_text("subjectAltName=DNS:www.bank.example\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", wanted, "-subj", "/CN=www.bank.example")
    openssl("x509", "-req", "-in", wanted, "-CA", str(tmp_path / "ca.crt"), "-CAkey", str(tmp_path / "ca.key"),
            "-set_serial", "7", "-out", made, "-extfile", str(names))  # fmt: skip
    assert "permitted subtree violation" in openssl("verify", "-CAfile", str(tmp_path / "ca.crt"), made)
    assert ": OK" in openssl("verify", "-CAfile", str(tmp_path / "ca.crt"), str(tmp_path / "server.crt"))


def test_nothing_is_made_while_the_clock_is_reset(tmp_path: Path) -> None:
    """An authority of 1970 would be over in 1980, and nobody would trust it once the clock is right."""
    for wrong in (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), certificates.EARLIEST - timedelta(seconds=1)):
        with pytest.raises(TlsError, match="set it"):
            certificates.create(tmp_path / "new", ["hub.local"], wrong)
    assert not (tmp_path / "new").exists()
    before = certificates.create(tmp_path, ["hub.local"], certificates.EARLIEST)
    with pytest.raises(TlsError, match="1970-01-01"):
        certificates.issue(tmp_path, ["hub.local"], datetime(1970, 1, 1, tzinfo=UTC))
    assert certificates.facts(tmp_path / "server.crt") == before


def test_it_is_renewed_before_its_end_and_not_earlier(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    first = certificates.create(folder, ["hub.local", "10.0.0.7"], NOW)
    early = NOW + timedelta(days=certificates.SERVER_DAYS - certificates.RENEW_DAYS - 1)
    assert not certificates.renew(folder, early)
    assert certificates.renew(folder, early + timedelta(days=1))
    second = certificates.facts(folder / "server.crt")
    assert second.hosts == first.hosts
    assert second.ends > first.ends


def test_a_running_hub_takes_a_new_certificate_over(tmp_path: Path) -> None:
    folder, told = tmp_path / FOLDER, []
    certificates.create(folder, ["127.0.0.1"], datetime.now(UTC))
    keeper = Keeper(pair_of(tmp_path), lambda: None, lambda: told.append(1))
    before = handshake(keeper)
    certificates.issue(folder, ["127.0.0.1"], datetime.now(UTC))
    keeper.take()
    assert handshake(keeper) != before
    assert told == [1]


def handshake(keeper: Keeper) -> bytes:
    """Join the two contexts in memory; return the certificate that was shown."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = keeper.trusting.wrap_bio(to_client, to_server)
    server = keeper.serving.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert(binary_form=True) or b""


def test_a_key_that_others_can_read_or_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    certificates.create(tmp_path / "a", ["a.local"], NOW)
    certificates.create(tmp_path / "b", ["b.local"], NOW)
    certificate, key = tmp_path / "a" / "server.crt", tmp_path / "a" / "server.key"
    with pytest.raises(TlsError, match="does not belong"):
        certificates.use(tmp_path / FOLDER, certificate, tmp_path / "b" / "server.key")
    key.chmod(0o644)
    with pytest.raises(TlsError, match="chmod 600"):
        certificates.use(tmp_path / FOLDER, certificate, key)
    key.chmod(0o600)
    certificates.use(tmp_path / FOLDER, certificate, key)
    key.chmod(0o640)
    with pytest.raises(TlsError, match="chmod 600"):
        pair_of(tmp_path)
