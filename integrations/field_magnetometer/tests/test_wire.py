"""Only DecodeError escapes from what a node may send; the manifest says what the configuration takes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

import integrations.field_magnetometer as integration
from hub.sdk import DecodeError, Presence
from integrations.field_magnetometer.baseline import Baseline, Stored
from integrations.field_magnetometer.config import Config
from integrations.field_magnetometer.detector import Detector, Limits
from integrations.field_magnetometer.wire import read_report, signed

FOLDER = Path(integration.__file__).parent
NOW = 1_760_000_000_000

LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=8)
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner))
NUMBER = st.floats(-2_000, 2_000) | st.integers(-1_000, 1_000) | JSON
SAMPLE = st.fixed_dictionaries(
    {"at": st.integers(NOW - 1_000_000, NOW) | JSON, "field": st.lists(NUMBER, min_size=3, max_size=3) | JSON},
    optional={"temperature": NUMBER},
)
REPORT = st.fixed_dictionaries(
    {"samples": st.lists(SAMPLE, max_size=4) | JSON}, optional={"battery": NUMBER, "empty": JSON}
)


@given(REPORT | JSON)
def test_whatever_is_pushed(report: Any) -> None:
    detector = Detector(Limits())
    with contextlib.suppress(DecodeError):
        for sample in read_report(msgspec.json.encode(report), NOW).samples:
            assert detector.update(sample.field, sample.at / 1000, sample.temperature) is None


@given(st.binary(max_size=100), st.text(max_size=70))
def test_whatever_is_signed(body: bytes, signature: str) -> None:
    assert not signed("0123456789abcdef", body, signature)
    with contextlib.suppress(DecodeError):
        read_report(body, NOW)


FIELD = st.tuples(*[st.floats(-100_000, 100_000)] * 3)
STEP = st.tuples(FIELD, st.floats(0.001, 1e7), st.none() | st.floats(-90, 150))


@given(st.lists(STEP, max_size=40), st.booleans())
def test_whatever_is_measured(steps: list[tuple[Any, float, float | None]], marked: bool) -> None:
    """Time never makes it fail, and what it keeps can be read again."""
    detector, at = Detector(Limits(hold=0.0)), 1.0
    if marked:
        detector.mark_empty()
    for field, passed, temperature in steps:
        at += passed
        assert detector.update(field, at, temperature) in {None, Presence.PRESENT, Presence.ABSENT}
    if detector.baseline is not None:
        assert Baseline.restored(detector.baseline.stored()) is not None


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 3))
def test_whatever_was_kept(covariance: tuple[float, float, float]) -> None:
    kept = Stored(at=0.0, level=(0.0, 0.0, 0.0), slope=(0.0, 0.0, 0.0), covariance=covariance, reference=20.0)
    baseline = Baseline.restored(kept)
    if baseline is not None:
        detector = Detector(Limits(hold=0.0), baseline)
        for second in range(1, 5):
            assert detector.update((1.0, 1.0, 1.0), float(second), 25.0) is Presence.ABSENT


def test_the_signature_of_rfc_4231() -> None:
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"  # test case 2
    assert signed("Jefe", b"what do ya want for nothing?", expected)
    assert not signed("Jefe", b"what do ya want for nothing!", expected)


def test_numpy_waits_until_a_device_is_opened() -> None:
    program = "import sys, integrations.field_magnetometer; sys.exit('numpy' in sys.modules)"
    root = FOLDER.parent.parent
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0  # noqa: S603 - our own


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load((FOLDER / "manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain == FOLDER.name
    assert manifest["extra"] == "field"
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert all({"zh", "en"} <= field.keys() for field in manifest["config"].values())
    for line in manifest["quality"]:
        assert ("reason" in line) == (line["state"] == "exempt")


def test_the_example_of_the_documentation_is_a_configuration() -> None:
    text = (FOLDER.parent.parent / "docs" / "integrations" / "parking.md").read_text()
    (example,) = (
        part for part in text.split("```") if part.startswith("yaml\n") and f"  {integration.plugin.domain}:" in part
    )
    for device in yaml.safe_load(example.removeprefix("yaml\n"))["devices"][integration.plugin.domain].values():
        msgspec.convert(device | {"key": "0123456789abcdef"}, Config)
