"""The mail that tells a notice (RFC 5322). Pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hub.sdk import Notice, clean
from integrations.email.config import Config

#: Longest subject and text, in characters.
MAX_SUBJECT, MAX_TEXT = 80, 2000
#: The whole of China keeps one time; the message says which.
_BEIJING = timezone(timedelta(hours=8))


def letter(config: Config, notice: Notice) -> bytes:
    """Return the mail, the same byte by byte whenever ``notice`` is told: a repeat has the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = config.sender
    mail["To"] = ", ".join(config.recipients)
    mail["Subject"] = clean(f"【{notice.site.zh}】{notice.text.zh}", MAX_SUBJECT)
    mail["Date"] = format_datetime(datetime.fromisoformat(notice.decided_at))
    mail["Message-ID"] = f"<{notice.key}@{config.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    mail.set_content(words(notice) + "\n", cte="base64")
    return mail.as_bytes()


def words(notice: Notice) -> str:
    """Say ``notice`` in Chinese, in one line."""
    at = datetime.fromisoformat(notice.decided_at).astimezone(_BEIJING)
    zone, rule = notice.zone.zh, notice.rule
    line = f"【{notice.site.zh}】{notice.text.zh}（{zone}，规则 {rule}，北京时间 {at:%Y-%m-%d %H:%M:%S}）"
    return clean(line, MAX_TEXT)
