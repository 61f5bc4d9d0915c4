"""What a mail server on loopback is sent, and what becomes of its refusals and lies."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import aiohttp
import msgspec
import pytest

import integrations.email as integration
from hub.sdk import BadCredentials, DeviceError, Tools, Unreachable, Unsupported
from integrations.email.client import refusal
from integrations.email.config import Config
from integrations.email.letter import letter
from integrations.sim.mail_server import PASSWORD, USER, MailServer
from tests.kit.notifiers import NOTICE, check_manifest, check_reason, driver

Certificate = tuple[Path, ssl.SSLContext]
A, B, C = "a@x.example", "b@x.example", "c@x.example"


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


def config(port: int, **entry: Any) -> Config:
    """Read an entry of hub.yaml as the hub does: a relay in the house unless ``entry`` says otherwise."""
    given = {"name": {"zh": "邮件"}, "host": "127.0.0.1", "port": port, "sender": USER, "recipients": [A]}
    return msgspec.convert({**given, "security": "none", "timeout_s": 2, **entry}, Config)


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "PLAIN LOGIN"])
async def test_a_mail_arrives(
    security: Literal["tls", "starttls"], mechanisms: str, certificate: Certificate, tools: Tools
) -> None:
    shutil.copy(certificate[0], tools.site / "house.pem")
    server = MailServer(certificate[1], security, login=True, mechanisms=mechanisms)
    async with server.serve() as port:
        entry = config(
            port, recipients=[A, B, A], security=security, user=USER, password=PASSWORD, ca="house.pem", timeout_s=10
        )
        await (await driver(integration, entry, tools)).tell(NOTICE)
        (mail,) = server.letters
        assert (mail.sender, mail.to) == (USER, [A, B])
        assert mail.data == letter(entry, NOTICE)
        assert server.heard[-1] == "QUIT"
        await (await driver(integration, entry, tools)).tell(NOTICE)  # after a restart of the hub, say
        assert server.letters[1] == mail  # the same mail, with the same Message-ID
        wrong = msgspec.structs.replace(entry, password="hunter2")
        with pytest.raises(BadCredentials, match="535") as caught:
            await (await driver(integration, wrong, tools)).tell(NOTICE)
        check_reason(caught.value, "hunter2", A, USER)
        nobody = msgspec.structs.replace(entry, user="", password="")
        with pytest.raises(BadCredentials, match="530"):
            await (await driver(integration, nobody, tools)).tell(NOTICE)
    assert len(server.letters) == 2


async def test_a_relay_in_the_house(tools: Tools) -> None:
    server = MailServer()
    async with server.serve() as port:
        await (await driver(integration, config(port), tools)).tell(NOTICE)
    assert [mail.to for mail in server.letters] == [[A]]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_that_is_not_trusted(
    security: Literal["tls", "starttls"], certificate: Certificate, tools: Tools
) -> None:
    server = MailServer(certificate[1], security, login=True)
    async with server.serve() as port:
        entry = config(port, security=security, user=USER, password=PASSWORD)
        with pytest.raises(Unsupported, match="certificate is not trusted"):
            await (await driver(integration, entry, tools)).tell(NOTICE)
    assert "AUTH" not in server.heard


async def test_a_certificate_of_another_name(certificate: Certificate, tools: Tools) -> None:
    shutil.copy(certificate[0], tools.site / "house.pem")
    server = MailServer(certificate[1], "tls", login=True)
    async with server.serve() as port:
        entry = config(port, host="localhost", security="tls", user=USER, password=PASSWORD, ca="house.pem")
        with pytest.raises(Unsupported, match="certificate is not trusted"):
            await (await driver(integration, entry, tools)).tell(NOTICE)
    assert "AUTH" not in server.heard


async def test_no_password_without_encryption(certificate: Certificate, tools: Tools) -> None:
    """Somebody on the line hides STARTTLS: the hub must not go on in clear."""
    server = MailServer(certificate[1], "none", login=True)
    async with server.serve() as port:
        entry = config(port, security="starttls", user=USER, password=PASSWORD)
        with pytest.raises(Unsupported, match="no STARTTLS"):
            await (await driver(integration, entry, tools)).tell(NOTICE)
    assert not {"AUTH", "MAIL"} & set(server.heard)


async def test_tls_to_a_port_without_it_and_the_other_way_round(certificate: Certificate, tools: Tools) -> None:
    async with MailServer().serve() as port:
        with pytest.raises(Unreachable):
            await (await driver(integration, config(port, security="tls"), tools)).tell(NOTICE)
    async with MailServer(certificate[1], "tls").serve() as port:
        with pytest.raises(Unreachable):
            await (await driver(integration, config(port, timeout_s=1), tools)).tell(NOTICE)


async def test_a_repeat_goes_only_to_those_who_were_not_told(tools: Tools) -> None:
    server = MailServer(refused={B: 450, C: 550})
    async with server.serve() as port:
        mailer = await driver(integration, config(port, recipients=[A, B, C]), tools)
        with pytest.raises(Unreachable, match=r"refused 2 of 3 recipients \(code 450, 550\)") as caught:
            await mailer.tell(NOTICE)
        check_reason(caught.value, A, B, C)
        server.refused = {C: 550}
        with pytest.raises(Unsupported, match="refused 1 of 2 recipients"):
            await mailer.tell(NOTICE)
        with pytest.raises(Unsupported, match="refused 1 of 1 recipients"):
            await mailer.tell(NOTICE)
        server.refused = {}
        await mailer.tell(NOTICE)
    assert [mail.to for mail in server.letters] == [[A], [B], [C]]


async def test_a_server_that_closes_in_the_middle_of_the_recipients_told_nobody(tools: Tools) -> None:
    server = MailServer(refused={B: 421})
    async with server.serve() as port:
        mailer = await driver(integration, config(port, recipients=[A, B, C]), tools)
        with pytest.raises(Unreachable, match="refused 3 of 3"):
            await mailer.tell(NOTICE)
        server.refused = {}
        await mailer.tell(NOTICE)
    assert [mail.to for mail in server.letters] == [[A, B, C]]


ANYWHERE = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BODY"]
LIES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "silence": (None, Unreachable),
    "hung up": (b"", Unreachable),
    "busy": (b"451 try again\r\n", Unreachable),
    "refused": (b"554 5.7.1 no\r\n", Unsupported),
    "other protocol": (b"HTTP/1.1 400 Bad Request\r\n\r\n", Unsupported),
    "binary": (b"\xff\x00\xfe\r\n", Unsupported),
    "endless line": (b"2" * 100_000, Unsupported),
    "10 MB": (b"250-x\r\n354-x\r\n" * 700_000, Unsupported),
}


@pytest.mark.parametrize("verb", ANYWHERE)
@pytest.mark.parametrize("name", LIES)
async def test_lies(name: str, verb: str, tools: Tools) -> None:
    said, kind = LIES[name]
    if verb == "EHLO" and said:
        # A server that refuses EHLO is asked HELO next, which this one does not know; the library hangs up on noise.
        kind = Unreachable if name == "binary" else Unsupported
    server = MailServer(says={verb: said})
    async with server.serve() as port:
        mailer = await driver(integration, config(port, timeout_s=1), tools)
        with pytest.raises(kind) as caught:
            async with asyncio.timeout(20):
                await mailer.tell(NOTICE)
    check_reason(caught.value, A, USER)
    assert not server.letters


async def test_a_server_that_drips_does_not_hold_the_hub(tools: Tools) -> None:
    server = MailServer(drips="MAIL")
    async with server.serve() as port:
        mailer = await driver(integration, config(port, timeout_s=1), tools)
        with pytest.raises(Unreachable, match="did not finish within 1 s"):
            async with asyncio.timeout(20):
                await mailer.tell(NOTICE)


async def test_what_is_said_after_the_mail_was_taken_is_not_an_error(tools: Tools) -> None:
    for said in (b"", b"500 what?\r\n", None, b"\xff\r\n", b"221-" + b"x" * 8_000 + b"\r\n", b"221-bye\r\n" * 20_000):
        server = MailServer(says={"QUIT": said})
        async with server.serve() as port:
            await (await driver(integration, config(port), tools)).tell(NOTICE)
        assert len(server.letters) == 1


@pytest.mark.parametrize("challenge", [b"334 \xff\xff\r\n", b"334 AAA\r\n", b"334 =\r\n", b"250 ok\r\n", b"\r\n"])
@pytest.mark.parametrize("mechanisms", ["CRAM-MD5", "LOGIN", "PLAIN", "XOAUTH2", ""])
async def test_lies_while_logging_in(challenge: bytes, mechanisms: str, certificate: Certificate, tools: Tools) -> None:
    shutil.copy(certificate[0], tools.site / "house.pem")
    server = MailServer(certificate[1], "tls", login=True, mechanisms=mechanisms, says={"AUTH": challenge})
    async with server.serve() as port:
        entry = config(port, security="tls", user=USER, password=PASSWORD, ca="house.pem")
        with pytest.raises(DeviceError) as caught:
            await (await driver(integration, entry, tools)).tell(NOTICE)
    check_reason(caught.value, PASSWORD, USER)
    assert not server.letters


async def test_nobody_there(tools: Tools) -> None:
    with pytest.raises(Unreachable):
        await (await driver(integration, config(1), tools)).tell(NOTICE)
    with pytest.raises(Unreachable, match="name"):
        await (await driver(integration, config(1, host=".."), tools)).tell(NOTICE)


async def test_a_call_that_is_given_up_leaves_neither_thread_nor_line(tools: Tools) -> None:
    server = MailServer(says={"DATA": None})
    async with server.serve() as port:
        mailer = await driver(integration, config(port, timeout_s=60), tools)
        task = asyncio.ensure_future(mailer.tell(NOTICE))
        await asyncio.wait_for(server.silent.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    # serve() has seen the client hang up, and the pool's thread is free again
    assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 1) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (535, BadCredentials),
        (530, BadCredentials),
        (421, Unreachable),
        (454, Unreachable),
        (550, Unsupported),
        (-1, Unsupported),
    ],
)
def test_codes(code: int, kind: type[DeviceError]) -> None:
    assert type(refusal(code)) is kind


@pytest.mark.parametrize(
    "entry",
    [
        {"security": "none", "user": USER},
        {"security": "none", "password": "s3cret"},
        {"security": "tls", "user": "用户", "password": "s3cret"},
        {"security": "tls", "user": USER, "password": "s3cret\r\nQUIT"},
        {"security": "tls", "ca": "missing.pem"},
        {"security": "tls", "ca": "../house.pem"},
        {"security": "tls", "ca": "/etc/passwd"},
        {"security": "tls", "ca": "x\0y"},
        {"security": "tls", "ca": "empty.pem"},
        {"security": "tls", "ca": "."},
    ],
    ids=str,
)
async def test_what_cannot_work_is_refused_at_once(
    entry: dict[str, Any], certificate: Certificate, tools: Tools
) -> None:
    (tools.site / "empty.pem").write_text("no certificate")
    shutil.copy(certificate[0], tools.site.parent / "house.pem")
    with pytest.raises(Unsupported) as caught:
        await integration.connect("duty", config(25, **entry), tools)
    check_reason(caught.value, "s3cret", USER)


@pytest.mark.parametrize(
    "entry",
    [
        {"sender": "a@b\r\nRCPT TO:<x@y>"},
        {"sender": "a b@c"},
        {"sender": "<a@b>"},
        {"sender": "a"},
        {"sender": "a@"},
        {"sender": "a@-b"},
        {"sender": "a..b@c"},
        {"sender": "值班@x.example"},
        {"sender": "a" * 65 + "@b"},
        {"recipients": []},
        {"recipients": ["a@b\n"]},
        {"recipients": ["a@b, c@d"]},
        {"recipients": [A] * 21},
        {"host": ""},
        {"host": "mail example"},
        {"host": "mail\n"},
        {"port": 0},
        {"port": 65_536},
        {"security": "ssl"},
        {"timeout_s": 0},
        {"timeout_s": 61},
    ],
    ids=str,
)
def test_configuration_that_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        config(**{"port": 25, **entry})


def test_manifest_names_every_field_and_its_default() -> None:
    check_manifest(integration, Config, "password")
