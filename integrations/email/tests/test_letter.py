"""The mail itself: pure, and no text gets out of its place."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import CommandKey, Parcel, Text, clean
from integrations.email.config import Config
from integrations.email.letter import MAX_TEXT, enclosing, letter
from tests.kit.hostile import NAMES
from tests.kit.notifiers import NOTICE, TOLD

CONFIG = Config(
    name=Text(zh="邮件"),
    host="mail.example",
    sender="menshen@xingfuli.example",
    recipients=("a@x.example", "b@x.example"),
)


def read(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_the_whole_mail() -> None:
    raw = letter(CONFIG, NOTICE)
    mail = read(raw)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert dict(mail.items()) == {
        "From": "menshen@xingfuli.example",
        "To": "a@x.example, b@x.example",
        "Subject": "【幸福里小区】3号楼北侧消防通道：车辆占道，请到现场处理。",
        "Date": "Fri, 20 Nov 2026 16:03:09 +0000",
        "Message-ID": f"<{NOTICE.key}@xingfuli.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "base64",
        "MIME-Version": "1.0",
    }
    assert mail.get_content().strip() == NOTICE.line(MAX_TEXT)
    assert all(part in NOTICE.line(MAX_TEXT) for part in TOLD)
    assert letter(CONFIG, NOTICE) == raw


@given(st.text(st.characters()), st.text(st.characters()), st.text(st.sampled_from("a 占\r\n:@<>=?.\0\u2028")))
def test_any_text_stays_in_subject_and_body(text: str, site: str, rule: str) -> None:
    notice = msgspec.structs.replace(NOTICE, text=Text(zh=text), site=Text(zh=site), rule=rule)
    raw = letter(CONFIG, notice)
    mail = read(raw)
    assert sorted(mail.keys()) == sorted(read(letter(CONFIG, NOTICE)).keys())
    assert mail["To"] == "a@x.example, b@x.example"
    assert mail["Subject"].replace(" ", "") == clean(f"【{site}】{text}", 80).replace(" ", "")
    assert mail.get_content().strip() == notice.line(MAX_TEXT)
    assert not mail.defects
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_in_every_mail(name: str) -> None:
    """Nothing of a mail is markup, so that no name becomes a program in a reader of mail (S10)."""
    parcel = Parcel(CommandKey("report"), f"{name} 月报", name, NOTICE.decided_at, "a.pdf", "application/pdf", b"%PDF-")
    told, sent = (
        read(letter(CONFIG, msgspec.structs.replace(NOTICE, site=Text(zh=name)))),
        read(enclosing(CONFIG, parcel)),
    )
    assert [part.get_content_type() for part in told.walk()] == ["text/plain"]
    assert [part.get_content_type() for part in sent.walk()] == ["multipart/mixed", "text/plain", "application/pdf"]
    words = sent.get_body()
    assert words is not None
    assert words.get_content().strip() == clean(name, MAX_TEXT)
    assert not told.defects + sent.defects
