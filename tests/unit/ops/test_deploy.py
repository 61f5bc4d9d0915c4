"""What is shipped for operators speaks of things that exist: commands, options, figures, system calls."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from hub.cli import main
from hub.web.metrics import Metrics
from tests.kit.clock import VirtualClock

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
_CALL = re.compile(r"/opt/menshen/\.venv/bin/menshen ([^;']+)")


def exposed() -> set[str]:
    """Return the names of all figures, those that no label has made appear yet among them."""
    text = Metrics(VirtualClock(), dict).text().decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    return set(kinds) | {f"{name}_bucket" for name, kind in kinds.items() if kind == "histogram"}


def asked(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:menshen|process)_[a-z_]+\b", expression))


def test_every_panel_asks_for_figures_that_are_there() -> None:
    panels = json.loads((DEPLOY / "grafana/menshen.json").read_text("utf-8"))["panels"]
    wanted = set().union(*(asked(target["expr"]) for panel in panels for target in panel["targets"]))
    assert len(wanted) >= 10
    assert wanted <= exposed()


def test_every_alert_asks_for_figures_that_are_there() -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus/menshen.yaml").read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 5
    for rule in rules:
        assert asked(rule["expr"]) <= exposed(), rule["alert"]
        assert rule["annotations"]["summary"]


@pytest.mark.parametrize("place", [*UNITS, DEPLOY / "container/Containerfile"], ids=lambda path: path.name)
def test_commands_exist_with_their_options(place: Path) -> None:
    text = place.read_text("utf-8")
    calls = [shlex.split(call.replace('"', "").replace("$", "")) for call in _CALL.findall(text)]
    if place.name == "Containerfile":
        calls = [json.loads(text.rsplit("CMD ", 1)[1])]
    if place.suffix != ".timer":
        assert calls, "no command found"
    for name, *arguments in calls:
        command = main.commands[name]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= options
        assert isinstance(command, click.Command)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_the_units(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is missing: apt install systemd")
    for path in UNITS:  # where the hub is not installed, a program that is there stands in for it
        text = path.read_text("utf-8").replace("/opt/menshen/.venv/bin/menshen", "/bin/true")
        (tmp_path / path.name).write_text(text, "utf-8")
    done = subprocess.run([analyze, "verify", tmp_path / unit.name], capture_output=True, text=True, check=False)
    own = [line for line in done.stderr.splitlines() if "menshen" in line]
    assert own == [], own
    assert done.returncode == 0, done.stderr


def test_the_image_holds_what_a_hub_reads(tmp_path: Path) -> None:
    """The last stage's own copies, taken by themselves: the example is valid and the shipped library is there."""
    stage = (DEPLOY / "container/Containerfile").read_text("utf-8").rsplit("FROM ", 1)[1]
    copies = [line.split()[1:] for line in stage.splitlines() if line.startswith("COPY ") and "--" not in line]
    site = dict(re.findall(r"^COPY --chown=\S+ (\S+) /var/lib/menshen/site/(\S*)$", stage, re.MULTILINE))
    for *sources, _ in copies:
        for source in sources:
            here, there = DEPLOY.parent / source, tmp_path / source
            if here.is_dir() and source != "requirements/":
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
            elif here.is_file() and "/" not in source:
                shutil.copy(here, there)
    assert site == {"hub.yaml": "", "rules/": "rules/"}
    script = "from hub.web.rules import _library as rules; print(len(rules(set())))"
    for command in (["-m", "hub", "check", "-c", "hub.yaml"], ["-c", script]):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) >= 12, "the day-one rules"
