"""Images that must not be installed are refused by name, however they are broken."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import BadImage, Rc
from firmware_bridge.image import Version, build, check_for, parse, verify
from firmware_bridge.tests import STEADY

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
WHOLE = build(bytes(range(256)), Version(1, 2, 3), "menshen-ref", 5, KEY)


def install(data: bytes) -> None:
    image = parse(data)
    verify(image, KEY.public_key())
    check_for(image, "menshen-ref", 5)


def test_a_good_image() -> None:
    install(WHOLE)


@STEADY
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_every_changed_byte_is_refused(at: int, change: int) -> None:
    data = bytearray(WHOLE)
    data[at] ^= change
    with pytest.raises(BadImage):
        install(bytes(data))


@STEADY
@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_refused(length: int) -> None:
    with pytest.raises(BadImage):
        install(WHOLE[:length])


@STEADY
@given(st.binary(max_size=300), st.booleans())
def test_noise_is_refused(noise: bytes, like_an_image: bool) -> None:
    with pytest.raises(BadImage):
        install(WHOLE[:32] + noise if like_an_image else noise)


def test_what_follows_the_image_is_refused() -> None:
    with pytest.raises(BadImage, match="follows"):
        install(WHOLE + b"\0")


def test_another_key() -> None:
    with pytest.raises(BadImage, match="key of this site"):
        install(build(b"x", Version(1, 2, 3), "menshen-ref", 5, OTHER))


@pytest.mark.parametrize(("model", "security", "word"), [("other", 5, "is for other"), ("menshen-ref", 4, "downgrade")])
def test_another_model_and_a_downgrade(model: str, security: int, word: str) -> None:
    with pytest.raises(BadImage, match=word) as refused:
        install(build(b"x", Version(9, 9, 9), model, security, KEY))
    assert refused.value.rc == Rc.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("text", "older"),
    [("1.2.4", True), ("1.3.0", True), ("1.2.3.1", True), ("1.2.3+1", True), ("1.2.3", False), ("1.2.2.9", False)],
)
def test_a_lower_version_with_the_same_counter_is_a_downgrade(text: str, older: bool) -> None:
    image = parse(build(b"x", Version(1, 2, 3), "menshen-ref", 5, KEY))
    running = Version.read(text)
    assert running is not None
    check_for(image, "menshen-ref", 4, running)
    if older:
        with pytest.raises(BadImage, match="downgrade"):
            check_for(image, "menshen-ref", 5, running)
    else:
        check_for(image, "menshen-ref", 5, running)


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4.5", "1.2.x", "-1.2.3", "1.2.²", "9" * 5000 + ".0.0"])
def test_what_is_no_version(text: str) -> None:
    assert Version.read(text) is None


@pytest.mark.parametrize(
    ("model", "security", "version"),
    [
        ("", 5, Version(1, 0, 0)),
        ("m" * 33, 5, Version(1, 0, 0)),
        ("m", -1, Version(1, 0, 0)),
        ("m", 5, Version(256, 0, 0)),
    ],
)
def test_what_cannot_be_built(model: str, security: int, version: Version) -> None:
    with pytest.raises(BadImage):
        build(b"x", version, model, security, KEY)
