"""``python -m tests.fuzz NAME --seconds N --finds FOLDER``: let atheris search for inputs that break a decoder."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from tests.fuzz.harness import CORPUS, NAMES, harness

#: Longest input in bytes: a frame has at most 4,104, and longer ones than two of them say nothing new.
MAX_INPUT = 9_000
#: Seconds on the wall after which libFuzzer itself gives an input up; the limit that counts is in the harness.
STUCK = 60


def main() -> None:
    """Search until the time is over or something is found. Exits with libFuzzer's code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--finds", type=Path, required=True, help="folder for new inputs and for what broke something")
    wanted = parser.parse_args()
    try:
        atheris = import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed; tests/fuzz/__init__.py says how to get it")
    with atheris.instrument_imports(include=["firmware_bridge", "hub.model", "integrations.firmware_node", "cbor2"]):
        feed = harness(wanted.name)
    found = wanted.finds / wanted.name
    found.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={wanted.seconds}", f"-max_len={MAX_INPUT}", f"-timeout={STUCK}"]
    options += [f"-artifact_prefix={found}-", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(found), str(CORPUS / wanted.name)], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
