"""The mail that tells a notice or brings a file (RFC 5322). Pure functions."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hub.sdk import Notice, Parcel, clean
from integrations.email.config import Config

#: Longest subject and text, in characters.
MAX_SUBJECT, MAX_TEXT = 80, 2000


def letter(config: Config, notice: Notice) -> bytes:
    """Return the mail, the same byte by byte whenever ``notice`` is told: a repeat has the same Message-ID."""
    mail = _mail(config, notice.key, f"【{notice.site.zh}】{notice.text.zh}", notice.decided_at)
    mail.set_content(notice.line(MAX_TEXT) + "\n", cte="base64")
    return mail.as_bytes()


def enclosing(config: Config, parcel: Parcel) -> bytes:
    """Return the mail with a file attached; its Message-ID is the same whenever ``parcel`` is sent."""
    mail = _mail(config, parcel.key, parcel.subject, parcel.sent_at)
    mail.set_content(clean(parcel.text, MAX_TEXT) + "\n", cte="base64")
    main, _, sub = parcel.media.partition("/")
    mail.add_attachment(parcel.content, main, sub, filename=parcel.name)
    return mail.as_bytes()


def _mail(config: Config, key: str, subject: str, at: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = config.sender
    mail["To"] = ", ".join(config.recipients)
    mail["Subject"] = clean(subject, MAX_SUBJECT)
    mail["Date"] = format_datetime(datetime.fromisoformat(at))
    mail["Message-ID"] = f"<{key}@{config.sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    return mail
