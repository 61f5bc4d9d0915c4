"""The 28 kinds of weakness found in peers (RELIABILITY.md section 4), each with what holds the hub against it.

A row names tests that exist elsewhere, or is tested here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.web.routes import API, OTHER
from tests.kit.office import Office, bearer, office
from tests.kit.site import ROOT

ROLES, ACCOUNT = "tests.unit.web.test_roles", "tests.unit.web.test_account"
BROKER, PATHS, SSRF = "tests.abuse.test_broker_accounts", "tests.abuse.test_paths", "tests.abuse.test_ssrf"
PACKETS, SHELL, HERE = "tests.abuse.test_mqtt_packets", "tests.abuse.test_no_shell", __name__
NODE = "firmware_bridge.tests"
#: Which tests stand against which weakness: ``module:function``.
ROWS: dict[str, tuple[str, ...]] = {
    "Home Assistant CVE-2023-27482: a path around the login": (
        f"{ROLES}:test_what_is_not_in_the_table_does_not_exist",
        f"{ROLES}:test_each_role_gets_what_the_table_says",
    ),
    "Home Assistant CVE-2023-41895: a redirect anywhere": (f"{HERE}:test_nothing_redirects",),
    "Home Assistant CVE-2023-41897: the page in a frame": (f"{ROLES}:test_security_headers_are_on_every_answer",),
    "Home Assistant GHSA-qhhj-7hrc-gqj5: a login code sent away": (f"{HERE}:test_nothing_redirects",),
    "Home Assistant GHSA-4r74-h49q-rr3h: partial SSRF, links that act": (
        f"{SSRF}:test_nothing_is_sent_there",
        f"{HERE}:test_nothing_is_changed_by_a_link",
    ),
    "Home Assistant GHSA-wx3j-3v2j-rf45: local only, through a tunnel": (
        f"{ACCOUNT}:test_a_forged_address_is_not_believed",
        f"{HERE}:test_being_near_gives_no_right",
    ),
    "Home Assistant GHSA-jqpc-rc7g-vf83: users listed before the login": (
        f"{ACCOUNT}:test_a_name_that_nobody_has_answers_like_one_that_somebody_has",
        f"{ROLES}:test_what_is_open_to_everybody_is_listed_here",
    ),
    "Home Assistant GHSA-jff5-5j3g-vhqc: expressions in a build": (f"{HERE}:test_a_build_puts_no_text_into_a_shell",),
    "Home Assistant CVE-2025-62172: stored scripts": (
        "tests.abuse.test_markup:test_on_a_page_of_many_things",
        "tests.abuse.test_markup:test_on_a_page_of_one_thing",
        f"{HERE}:test_the_page_writes_text_only",
    ),
    "Home Assistant CVE-2026-34205: a port that was thought internal": (
        "tests.abuse.test_sockets:test_nothing_else_listens",
        "tests.abuse.test_sockets:test_beyond_this_machine_nobody_answers",
    ),
    "HACS CVE-2021-47942: files read by ..%2f": (
        f"{PATHS}:test_a_climbing_name_is_not_found",
        f"{PATHS}:test_the_page_s_files_end_at_their_folder",
    ),
    "ESPHome CVE-2024-27081: editor, content type, CSRF": (
        f"{PATHS}:test_a_climbing_name_is_not_found",
        f"{ROLES}:test_a_write_that_another_site_could_send_is_refused",
        f"{HERE}:test_nothing_but_the_page_is_html",
    ),
    "ESPHome CVE-2025-57808: credentials compared in part": (
        f"{ROLES}:test_credentials_are_compared_whole",
        f"{BROKER}:test_nobody_gets_in_without_the_whole_password",
    ),
    "ESPHome CVE-2021-41104: images unchecked, lengths that overflow": (
        f"{NODE}.test_image:test_every_changed_byte_is_refused",
        f"{NODE}.test_image:test_another_model_and_a_downgrade",
        f"{NODE}.test_frame:test_limits_of_length",
    ),
    "Frigate CVE-2023-45670: CSRF, reflected names, an unsafe loader": (
        f"{ROLES}:test_a_write_that_another_site_could_send_is_refused",
        f"{SHELL}:test_only_one_yaml_reader_can_be_imported",
        "tests.abuse.test_yaml:test_refused_with_its_place",
    ),
    "Frigate CVE-2026-25643: a configuration that names a program": (
        f"{SHELL}:test_the_configuration_cannot_name_a_program",
        f"{SHELL}:test_programs_are_started_in_these_files_only_and_never_by_a_line_of_text",
    ),
    "Frigate CVE-2026-33470: pictures of others, sockets without roles": (
        "tests.unit.web.test_media:test_files_are_for_those_whom_the_table_names",
        "tests.unit.web.test_media:test_each_role_hears_the_topics_it_may",
        "tests.abuse.test_secrets:test_no_answer_of_the_api_holds_a_secret",
    ),
    "Frigate commit bc816926: block-listed arguments": (f"{SHELL}:test_an_address_of_a_stream_is_no_option_of_ffmpeg",),
    "ThingsBoard CVE-2023-26462: a shipped key": ("tests.abuse.test_secrets:test_two_installs_share_no_secret",),
    "ThingsBoard CVE-2025-34282: SVG that fetches, templates that run": (
        f"{HERE}:test_no_template_is_run",
        f"{SSRF}:test_every_integration_refuses_the_corpus",
        f"{SHELL}:test_nothing_is_read_into_objects_or_run",
    ),
    "openHAB CVE-2024-42467: an open proxy, traversal": (
        f"{ROLES}:test_what_is_open_to_everybody_is_listed_here",
        f"{PATHS}:test_a_climbing_query_reads_nothing",
        f"{SSRF}:test_a_redirect_is_not_followed",
    ),
    "Mosquitto CVE-2018-12550: an empty file allows": (
        f"{BROKER}:test_mosquitto_itself_fails_closed",
        f"{BROKER}:test_spoilt_accounts_let_nobody_in_and_say_so",
    ),
    "Mosquitto CVE-2018-12546: who is revoked still hears": (
        f"{BROKER}:test_who_is_revoked_is_cut_off_within_a_second_and_comes_no_more",
    ),
    "Mosquitto CVE-2023-28366: memory for unfinished packets": (
        f"{PACKETS}:test_a_hundred_unfinished_packets_take_no_memory",
        f"{PACKETS}:test_before_the_login",
    ),
    "Mosquitto CVE-2018-12543: an odd packet, an open database": (
        f"{PACKETS}:test_after_the_login",
        f"{BROKER}:test_files_of_the_broker_are_for_the_hub_alone",
    ),
    "EmberZNet CVE-2026-47145: one member harms all": (
        f"{NODE}.test_node_hostile:test_hostile_datagrams",
        f"{NODE}.test_frame:test_noise_is_a_bad_frame_or_a_frame",
    ),
    "Ksix CVE-2021-27289: captured frames with a higher counter": (
        f"{NODE}.test_auth:test_every_changed_byte_is_forged",
        f"{NODE}.test_auth:test_no_counter_is_taken_twice_and_none_within_the_window_is_refused",
        f"{NODE}.test_auth:test_a_start_before_the_present_one_is_a_clone",
    ),
    "CPython CVE-2025-4517: the filter of tarfile": (f"{HERE}:test_no_archive_is_opened_by_the_standard_extractor",),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with office(tmp_path_factory.mktemp("peers")) as found:
        yield found


def test_there_are_twenty_eight() -> None:
    assert len(ROWS) == 28


@pytest.mark.parametrize("row", ROWS)
def test_something_stands_against_it(row: str) -> None:
    """A test that was renamed or emptied leaves its row open, and this red."""
    for place in ROWS[row]:
        module, _, name = place.partition(":")
        function = getattr(importlib.import_module(module), name)
        body = ast.parse(inspect.getsource(inspect.unwrap(function))).body[0]
        assert isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef)
        checks = [node for node in ast.walk(body) if isinstance(node, ast.Assert | ast.With | ast.Call)]
        assert len(checks) >= 2, f"{place} checks nothing"
        marks = [mark.name for mark in getattr(function, "pytestmark", [])]
        assert not {"skip", "xfail"} & set(marks), place


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_redirects(desk: Office) -> None:
    """There is no parameter by which somebody could send a visitor, or what they carry, elsewhere."""
    for name in ("redirect", "redirect_uri", "next", "url", "return_to", "continue", "back"):
        for path in ("/", "/api/v1/session", "/api/v1/site", "/assets/app.js", "/hooks/a/b"):
            for target in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
                answer = await desk.client.get(
                    path, params={name: target}, headers=bearer("token-of-admin"), allow_redirects=False
                )
                assert not 300 <= answer.status < 400, (path, name)
                assert "Location" not in answer.headers
                assert "Refresh" not in answer.headers
    assert _sources_with("HTTPFound") == _sources_with("HTTPSeeOther") == _sources_with("HTTPTemporaryRedirect") == []


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_is_changed_by_a_link(desk: Office) -> None:
    """A link is a GET: whatever it asks for as an administrator, no row is written but of what was seen."""
    before = desk.context.runtime.state.modes.copy()
    for route in (*API, *OTHER):
        if route.name == "live":
            continue
        path = re.sub(r"\{[^}]+\}", "lane", route.path)
        answer = await desk.client.get(f"{path}?on=true&state=closed&confirm=1", headers=bearer("token-of-admin"))
        assert answer.status != 500, path
        if route.method != "GET" and not any(other.path == route.path and other.method == "GET" for other in API):
            assert answer.status in {403, 404, 405}, path
    assert desk.context.runtime.state.modes == before


@pytest.mark.asyncio(loop_scope="module")
async def test_being_near_gives_no_right(desk: Office) -> None:
    """The test itself comes from the loopback, and claims to in every way; it gets what a stranger gets."""
    near = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1", "Host": "localhost"}
    for route in API:
        if route.role is not None and route.method == "GET":
            answer = await desk.client.get(re.sub(r"\{[^}]+\}", "lane", route.path), headers=near)
            assert answer.status == 401, route.path


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_but_the_page_is_html(desk: Office) -> None:
    for route in (*API, *OTHER):
        if route.method == "GET" and route.name != "live":
            path = re.sub(r"\{[^}]+\}", "lane", route.path)
            answer = await desk.client.get(path, headers=bearer("token-of-admin"))
            assert "html" not in answer.headers.get("Content-Type", ""), path
            assert "svg" not in answer.headers.get("Content-Type", ""), path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_writes_text_only() -> None:
    """A framework that is told to write HTML writes scripts; nothing of ours tells it to."""
    words = ("v-html", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
    found = [
        (path.name, word)
        for path in (ROOT / "ui" / "src").rglob("*")
        if path.suffix in {".vue", ".ts"}
        for word in words
        if word in path.read_text("utf-8")
    ]
    assert found == []


def test_a_build_puts_no_text_into_a_shell() -> None:
    """An expression of a workflow, put into its shell, is a program of whoever wrote the text."""
    files = [*(ROOT / ".ci").rglob("*"), *(ROOT / ".github").rglob("*.y*ml")]
    assert any(path.is_file() for path in files)
    for path in files:
        if path.is_file():
            assert not re.search(r"run:.*\$\{\{", path.read_text("utf-8")), path


def test_no_template_is_run() -> None:
    """Texts of people and devices are put into sentences, never read as a language; YAML is written by its emitter."""
    assert _sources_with("import jinja2") == _sources_with("from jinja2") == _sources_with("from mako") == []
    assert [path for path in _sources_with(".format_map(") if "tests" not in path] == []


def test_no_archive_is_opened_by_the_standard_extractor() -> None:
    for word in (".extractall(", ".extract(", "shutil.unpack_archive"):
        assert _sources_with(word) == [], word


def _sources_with(word: str) -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for package in ("hub", "integrations", "firmware_bridge")
        for path in (ROOT / package).rglob("*.py")
        if not {"tests", "sim"} & set(Path(path.relative_to(ROOT)).parts) and word in path.read_text("utf-8")
    ]
