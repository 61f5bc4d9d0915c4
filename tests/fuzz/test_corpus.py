"""What the fuzzers have kept is fed again, to the hub's decoders and to the node in C under its sanitizers."""

from __future__ import annotations

import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from firmware_bridge.node_process import SOURCES, build
from firmware_bridge.tests.small_hub import needs_compiler
from tests.fuzz.harness import CORPUS, NAMES, harness

#: Where the C node's fuzzer puts what follows its first byte (firmware_bridge/node/fuzz.c, enum entry).
STRANGER, OWNER, SERIAL, IMAGE = range(4)
#: One input of each decoder that is as it should be.
RIGHT = {"frame": "event", "serial": "event", "messages": "describe", "image": "whole"}


@pytest.mark.parametrize("name", NAMES)
def test_the_kept_inputs_break_nothing(name: str) -> None:
    inputs = [*sorted((CORPUS / name).iterdir()), *sorted((SOURCES / "corpus").iterdir())]
    assert len(inputs) > 50
    feed = harness(name)
    for file in inputs:
        data = file.read_bytes()
        feed(data)
        feed(data[1:])  # the first byte of the node's own corpus says where it goes


@pytest.mark.parametrize("name", NAMES)
def test_each_decoder_takes_what_is_right(name: str) -> None:
    """A harness that refuses everything would search in vain."""
    import_module(f"tests.fuzz.{name}").take((CORPUS / name / RIGHT[name]).read_bytes())


@pytest.mark.slow
@needs_compiler
def test_the_node_in_c_is_clean_on_the_same_inputs(tmp_path: Path) -> None:
    inputs = []
    for name, entries in (("frame", (STRANGER, OWNER)), ("serial", (SERIAL,)), ("image", (IMAGE,))):
        for file in sorted((CORPUS / name).iterdir()):
            for entry in entries:
                data = file.read_bytes()
                length = len(data).to_bytes(2, "big") if name == "frame" else b""
                copy = tmp_path / f"{name}-{entry}-{file.name}"
                copy.write_bytes(bytes([entry]) + length + (data[1:] if name == "serial" else data))
                inputs.append(copy)
    done = subprocess.run([build("menshen-node-fuzz"), *inputs], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "clean" in done.stdout or "Executed" in done.stderr
