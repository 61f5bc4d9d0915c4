"""What a log-in must refuse besides a wrong password."""

from __future__ import annotations

import hashlib
import re

import pytest

from integrations.sim.digest import NONCE_LIFE, Guard

TARGET = "/snapshot.jpg"


def answer(guard: Guard, *, uri: str = TARGET, count: str = "00000001", nonce: str | None = None) -> str:
    """Build the header as RFC 7616 section 3.4.1 says, independently of the code under test."""
    nonce = nonce or re.findall(r'nonce="([^"]+)"', guard.challenges()[-1])[0]

    def md5(text: str) -> str:
        return hashlib.new("md5", text.encode(), usedforsecurity=False).hexdigest()

    response = md5(f"{md5('admin:Hall:pw')}:{nonce}:{count}:ab:auth:{md5(f'GET:{uri}')}")
    return (
        f'Digest username="admin", realm="Hall", nonce="{nonce}", uri="{uri}", qop=auth, nc={count}, cnonce="ab", '
        f'response="{response}", algorithm=MD5'
    )


@pytest.fixture
def guard() -> Guard:
    return Guard("digest", "admin", "pw", "Hall")


def test_a_right_answer_passes_once(guard: Guard) -> None:
    header = answer(guard)
    assert guard.check("GET", TARGET, header).passed
    assert not guard.check("GET", TARGET, header).passed, "a replay"


def test_a_nonce_serves_with_a_rising_count(guard: Guard) -> None:
    nonce = re.findall(r'nonce="([^"]+)"', guard.challenges()[0])[0]
    assert guard.check("GET", TARGET, answer(guard, nonce=nonce)).passed
    assert guard.check("GET", TARGET, answer(guard, nonce=nonce, count="00000002")).passed


def test_it_is_bound_to_method_and_target(guard: Guard) -> None:
    assert not guard.check("PUT", TARGET, answer(guard)).passed
    assert not guard.check("GET", "/other", answer(guard)).passed


def test_an_old_nonce_is_stale_and_a_foreign_one_is_no_better(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    header = answer(guard)
    monkeypatch.setattr("integrations.sim.digest.NONCE_LIFE", -NONCE_LIFE)
    assert guard.check("GET", TARGET, header).stale
    verdict = guard.check("GET", TARGET, answer(guard, nonce="1.2.3"))
    assert not verdict.passed
    assert all("stale=true" in challenge for challenge in guard.challenges(stale=True))


@pytest.mark.parametrize("header", [None, "", "Digest", "Digest nonce=", "Basic !!!", 'Digest username="admin"', "門"])
def test_nonsense_is_refused(guard: Guard, header: str | None) -> None:
    assert not guard.check("GET", TARGET, header).passed
    assert not Guard("basic", "admin", "pw", "Hall").check("GET", TARGET, header).passed
