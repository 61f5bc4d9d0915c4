"""What is reckoned in seconds since 1970 goes on where 32 bits end, on 19 January 2038 (F10)."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from hub.model.time import SECOND, Instant, isoformat
from hub.runtime.certificates import create
from hub.runtime.tls import FOLDER, pair_of
from hub.web.proofs import new_secret, step_of

END = 1 << 31


@pytest.mark.parametrize("seconds", [END - 1, END, END + 30, 1 << 32])
def test_a_second_factor(seconds: int) -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(seconds)
    assert step_of(secret, code, Instant(seconds * SECOND)) == seconds // 30
    assert step_of(secret, code, Instant((seconds + 300) * SECOND)) is None


def test_an_instant() -> None:
    assert isoformat(END * SECOND) == "2038-01-19T03:14:08.000Z"


@pytest.mark.parametrize("year", [2037, 2038, 2049, 2050])
def test_a_certificate(year: int, tmp_path: Path) -> None:
    """Also across 2050, where another form of time begins in certificates (RFC 5280, 4.1.2.5)."""
    now = datetime(year, 12, 1, tzinfo=UTC)
    facts = create(tmp_path / FOLDER, ["hub.local"], now)
    assert facts.begins <= now < facts.ends <= now + timedelta(days=400)
    assert isinstance(pair_of(tmp_path).serving(), ssl.SSLContext)
