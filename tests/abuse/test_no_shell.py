"""No shell, no program named by data, no unsafe reader (S16, S3): a look at every line of the product's code."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from hub.config import integrations
from hub.config.site import load_site
from hub.model.errors import ConfigError
from integrations.generic_camera.grab import OPTIONS, UNSUPPORTED, GrabError, grab
from tests.kit.site import ROOT

SHELLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
}
STARTS = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"}
STARTS |= {"asyncio.create_subprocess_exec", "os.execv", "os.execve", "os.execvp", "os.spawnv", "os.posix_spawn"}
#: Readers that make objects, and what runs text. ``pickle`` goes to a child of our own by its pipe (hub.web.apart).
UNSAFE = {"eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "marshal.loads"}
UNSAFE |= {"pickle.loads", "shelve.open", "jinja2.Template", "tarfile.open", "zipfile.ZipFile.extractall"}
OUR_PIPE = {"hub/web/apart.py": "pickle.load"}
#: The only files that start a program, and which: Python itself, Mosquitto, fc-match, or what a person runs by hand.
STARTERS = {
    "hub/runtime/mqtt/broker.py": "mosquitto, or Python",
    "hub/runtime/isolation/parent.py": "Python",
    "hub/actions/speech/espeak.py": "Python",
    "hub/actions/speech/engine.py": "Python",
    "hub/web/apart.py": "Python",
    "hub/web/report_files.py": "fc-match",
    "hub/vision/worker/parent.py": "Python",
    "hub/kit/conformance.py": "pytest, by an author",
    "hub/demo/__init__.py": "Python",
    "hub/demo/quarter.py": "aplay, to ask for its sound cards",
    "integrations/generic_camera/rtsp.py": "Python",
    "integrations/local_speaker/program.py": "aplay or pw-play: its own test holds it to these two",
    "firmware_bridge/node_process.py": "the reference node, in tests and the demo",
}


@cache
def sources() -> tuple[tuple[str, ast.Module], ...]:
    """Return the code that runs at a site: no tests, no simulators."""
    return tuple(
        (str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8")))
        for package in ("hub", "integrations", "firmware_bridge")
        for path in (ROOT / package).rglob("*.py")
        if not {"tests", "sim", "captures"} & set(path.relative_to(ROOT).parts)
    )


@cache
def calls() -> tuple[tuple[str, str, ast.Call], ...]:
    """Return every call: file, what is called, the call."""
    return tuple(
        (name, ast.unparse(node.func), node)
        for name, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
    )


def test_no_shell_is_started_anywhere() -> None:
    found = calls()
    assert len(found) > 5_000, "nothing was read"
    assert [(file, called) for file, called, _ in found if called in SHELLS] == []
    shelled = [
        (file, node.lineno)
        for file, _, node in found
        for word in node.keywords
        if word.arg == "shell" and ast.unparse(word.value) != "False"
    ]
    assert shelled == []


def test_programs_are_started_in_these_files_only_and_never_by_a_line_of_text() -> None:
    starts = [(file, node) for file, called, node in calls() if called in STARTS]
    assert {file for file, _ in starts} <= set(STARTERS), "say here which program it is"
    for file, node in starts:
        first = node.args[0]
        text = isinstance(first, ast.JoinedStr) or (isinstance(first, ast.Constant) and " " in str(first.value))
        assert not text, f"{file}:{node.lineno} starts a line of text"


def test_nothing_is_read_into_objects_or_run() -> None:
    found = [(file, called) for file, called, _ in calls() if called in UNSAFE]
    assert [one for one in found if one[1] != "compile"] == []
    pickles = {file: called for file, called, _ in calls() if called.startswith("pickle.load")}
    assert pickles == OUR_PIPE


def test_only_one_yaml_reader_can_be_imported() -> None:
    """Every import of a YAML library stands in these files (Frigate CVE-2023-45672: an unsafe loader in one corner)."""
    allowed = {"hub/config/yaml.py", "hub/config/edit.py", "hub/config/rewrite.py", "hub/config/rule_files.py"}
    found = set()
    for file, module in sources():
        for node in ast.walk(module):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in {"yaml", "ruamel"} for name in names):
                found.add(file)
    assert found - allowed <= {file for file in found if _only_writes(file)}


def _only_writes(file: str) -> bool:
    """Tell whether a file uses the safe loader or the round-trip editor and nothing else."""
    text = (ROOT / file).read_text("utf-8")
    return not any(word in text for word in ("UnsafeLoader", "FullLoader", "yaml.Loader", "unsafe"))


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://127.0.0.1:1/x -f null /tmp/owned",
        "rtsp://127.0.0.1:1/$(touch owned)",
        "rtsp://127.0.0.1:1/;touch owned",
        "rtsp://127.0.0.1:1/`touch owned`|x",
        "concat:rtsp://127.0.0.1:1/|/etc/passwd",
        "exec:touch owned",
        "file:///etc/passwd",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "pipe:0",
        "-i",
        "rtsp://",
    ],
)
def test_an_address_of_a_stream_is_no_option_of_ffmpeg(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GrabError) as caught:
        grab(url, 2.0)
    if not url.startswith("rtsp://1"):
        assert caught.value.code == UNSUPPORTED or url == "rtsp://"
    assert list(tmp_path.iterdir()) == []
    assert set(OPTIONS["protocol_whitelist"].split(",")) == {"rtsp", "rtsps", "rtp", "tcp", "tls"}


@pytest.mark.parametrize("key", ["command", "exec", "ffmpeg_args", "input_args", "shell", "extra_args", "hook"])
def test_the_configuration_cannot_name_a_program(key: str, tmp_path: Path) -> None:
    """Frigate CVE-2026-25643: who may edit the configuration is not therefore master of the machine."""
    for domain in integrations.known():
        assert key not in integrations.manifest(domain).config
    config = tmp_path / "hub.yaml"
    config.write_text(
        "site: {id: t, name: 小区}\nzones: {a: {kind: fire_lane, name: 道, bind: {vehicle: x.y}}}\n"
        f"devices: {{generic_camera: {{one: {{name: 门, snapshot: http://127.0.0.1/, {key}: touch owned}}}}}}\n"
    )
    with pytest.raises(ConfigError, match=key):
        load_site(config)
