"""``python -m tests.mutations [WORD]``: break the engine in each way of the table; somebody must notice, file by file.

Not part of the ordinary run. It works in copies; the checkout is not touched. Exit 1 when a fault went unnoticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hub
from tests.mutations.table import MUTATIONS, Mutation

ROOT = Path(hub.__file__).parents[1]
COPIED = ("hub", "tests", "integrations", "rules", "conftest.py", "pyproject.toml", "hub.yaml")


def copy(target: Path) -> None:
    """Copy what tests of the engine need."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, target / name)


def verdict(tree: Path, file: str) -> str | None:
    """Run one file of tests; return the first that failed, or None when all was well."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", file]
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutations", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode == 1 and failed:
        return failed[0].partition("::")[2].partition("[")[0]
    if done.returncode == 0:
        return None
    raise SystemExit(f"{file} could not be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def apply(tree: Path, mutation: Mutation) -> str:
    """Break one place; return what stood there."""
    path = tree / "hub" / mutation.file
    text = path.read_text("utf-8")
    if text.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.name}: hub/{mutation.file} does not hold that text exactly once")
    path.write_text(text.replace(mutation.old, mutation.new), "utf-8")
    return text


def trial(mutations: tuple[Mutation, ...]) -> int:
    """Try every fault whose name holds the words given; return the exit code."""
    chosen = [mutation for mutation in mutations if all(word in mutation.name for word in sys.argv[1:])]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy(tree)
        for mutation in chosen:
            whole = apply(tree, mutation)
            found = {file: verdict(tree, file) for file in mutation.tests}
            (tree / "hub" / mutation.file).write_text(whole, "utf-8")
            unnoticed += None in found.values()
            caught = ", ".join(f"{Path(file).stem}::{test or '— NOT NOTICED —'}" for file, test in found.items())
            print(f"| {mutation.name} | {caught} |", flush=True)  # noqa: T201 - the table is what it is for
        clean = [file for file in sorted({file for m in chosen for file in m.tests}) if verdict(tree, file) is not None]
    print(f"{len(chosen)} faults, {unnoticed} unnoticed; without a fault red: {clean or 'none'}")  # noqa: T201
    return 1 if unnoticed or clean else 0


if __name__ == "__main__":
    raise SystemExit(trial(MUTATIONS))
