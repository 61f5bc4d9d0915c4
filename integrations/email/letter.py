"""The mail that tells a notice (RFC 5322). Pure functions."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hub.sdk import Notice, clean
from integrations.email.config import Config

#: Longest subject and text, in characters.
MAX_SUBJECT, MAX_TEXT = 80, 2000


def letter(config: Config, notice: Notice) -> bytes:
    """Return the mail, the same byte by byte whenever ``notice`` is told: a repeat has the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = config.sender
    mail["To"] = ", ".join(config.recipients)
    mail["Subject"] = clean(f"【{notice.site.zh}】{notice.text.zh}", MAX_SUBJECT)
    mail["Date"] = format_datetime(datetime.fromisoformat(notice.decided_at))
    mail["Message-ID"] = f"<{notice.key}@{config.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    mail.set_content(notice.line(MAX_TEXT) + "\n", cte="base64")
    return mail.as_bytes()
