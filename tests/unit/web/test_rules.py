"""Rules through the API: drafts, saves that two people make at once, versions; the YAML is what all of it ends in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.config.rule_files import RuleFiles
from hub.config.site import load_site
from hub.engine.explain import Cause, explain
from hub.engine.state import EngineState
from hub.journal.desk import handle
from hub.journal.versions import note_files
from hub.model.decision import Decision, IncidentClosed, IncidentOpened, Opened, Reason, Severity
from hub.model.entry import Entry
from hub.model.ids import ActivationId, RuleId, ZoneId
from hub.model.incident import Handling, IncidentState, Verdict
from hub.model.text import Text
from hub.model.time import MINUTE, Duration, Instant
from hub.web import words
from tests.kit.office import GUARD, Office
from tests.unit.config.test_site import RULE

FILE = "/api/v1/rules/blocked/file"


def folder(desk: Office) -> Path:
    return desk.context.rule_files.site


async def send(desk: Office, method: str, path: str, body: Any = None, *, role: str = "manager") -> tuple[int, Any]:
    answer = await desk.ask(path, role, method, json=body, headers=GUARD)
    return answer.status, await answer.json() if answer.content_type == "application/json" else await answer.read()


async def text_of(desk: Office, rule: str = "blocked") -> Any:
    return (await send(desk, "GET", f"/api/v1/rules/{rule}/file"))[1]


async def test_a_draft_comes_back_as_fields_and_as_text(desk: Office) -> None:
    status, draft = await send(desk, "POST", "/api/v1/rules/draft", {"text": "# note\n" + RULE})
    assert status == 200
    assert (draft["form"]["trigger"]["hold"], draft["form"]["zone_kind"]) == ("3 min", "fire_lane")
    assert "3 分钟" in draft["summary"]["zh"]
    draft["form"]["trigger"]["hold"] = "5 min"
    _, changed = await send(desk, "POST", "/api/v1/rules/draft", {"text": draft["text"], "form": draft["form"]})
    assert changed["text"] == "# note\n" + RULE.replace("3 min", "5 min")
    trail = (await send(desk, "GET", "/api/v1/audit"))[1]["items"]
    assert "draft" not in {row["action"] for row in trail}, "typing is no act"


@pytest.mark.parametrize(
    ("old", "new", "path", "zh"),
    [
        ("3 min", "3", "trigger.for", "持续时间要写数字和单位，例如 3 min、30 s，现在是“3”"),
        ("capture: snapshot", "notify: boss", "actions.0.notify", "没有名为“boss”的联系人"),
        ("{kind: fire_lane}", "{kind: fire_lane, only: moon}", "zones.only", "没有这一类的防区“moon”"),
        ("clear: {vehicle: absent}\n", "", "", "规则缺少解除条件"),
    ],
)
async def test_each_finding_stands_at_its_field(desk: Office, old: str, new: str, path: str, zh: str) -> None:
    _, draft = await send(desk, "POST", "/api/v1/rules/draft", {"text": RULE.replace(old, new)})
    found = [(item["path"], item["zh"]) for item in draft["findings"]]
    assert found[0] == (path, zh)
    assert draft["form"] is not None, "what is wrong is shown in the form, too"


async def test_what_is_no_yaml_leaves_the_form_alone(desk: Office) -> None:
    _, draft = await send(desk, "POST", "/api/v1/rules/draft", {"text": "rule: ["})
    assert draft["form"] is None
    assert (draft["findings"][0]["line"], draft["findings"][0]["warning"]) == (2, False)


@pytest.mark.parametrize("depth", [30, 400, 5_000])
async def test_what_is_nested_too_deeply_is_refused(desk: Office, depth: int) -> None:
    _, draft = await send(desk, "POST", "/api/v1/rules/draft", {"text": RULE})
    other = '{"kind":"other","source":' + "[" * depth + "]" * depth + "}"
    group = '{"kind":"group","join":"all","terms":[' * depth + "]}" * depth
    for conditions in (other, group):
        form = json.dumps({**draft["form"], "conditions": ["here"]}).replace('"here"', conditions)
        text = f'{{"text": {json.dumps(RULE)}, "form": {form}}}'
        answer = await desk.ask("/api/v1/rules/draft", "manager", "POST", data=text, headers=GUARD)
        assert answer.status in {200, 400, 413}
        assert answer.status != 200 or (await answer.json())["findings"]


async def test_a_rule_is_saved_with_author_and_reason(desk: Office) -> None:
    before = await text_of(desk)
    assert (before["text"], before["author"], before["active"]) == (RULE, "", True)
    five = RULE.replace("3 min", "5 min")
    status, saved = await send(desk, "PUT", FILE, {"text": five, "base": before["version"], "reason": "太短"})
    assert (status, saved["author"], saved["reason"], saved["active"]) == (200, "manager", "太短", False)
    assert (folder(desk) / "rules" / "blocked.yaml").read_text("utf-8") == five
    _, known = await send(desk, "GET", "/api/v1/rules/blocked/versions")
    assert [(one["author"], one["text"]) for one in known["items"]] == [("manager", five), ("", RULE)]


async def test_the_second_of_two_people_is_told_and_nothing_is_lost(desk: Office) -> None:
    base = (await text_of(desk))["version"]
    first, second = RULE.replace("3 min", "5 min"), RULE.replace("3 min", "7 min")
    await send(desk, "PUT", FILE, {"text": first, "base": base, "reason": "a"})
    status, told = await send(desk, "PUT", FILE, {"text": second, "base": base, "reason": "b"}, role="admin")
    assert status == 409
    assert (told["theirs"], told["yours"], told["author"]) == (first, second, "manager")
    assert told["at"] is not None
    assert (await text_of(desk))["text"] == first
    status, _ = await send(desk, "PUT", FILE, {"text": second, "base": told["version"], "reason": "b"})
    assert status == 200


async def test_a_hand_edit_meanwhile_is_told_and_kept(desk: Office) -> None:
    base = (await text_of(desk))["version"]
    by_hand = RULE.replace("3 min", "4 min")
    (folder(desk) / "rules" / "blocked.yaml").write_text(by_hand, "utf-8")
    mine = {"text": RULE.replace("3 min", "5 min"), "base": base, "reason": "b"}
    status, told = await send(desk, "PUT", FILE, mine)
    assert (status, told["theirs"], told["author"]) == (409, by_hand, "")
    await send(desk, "PUT", FILE, {**mine, "base": told["version"]})
    _, known = await send(desk, "GET", "/api/v1/rules/blocked/versions")
    assert [one["text"] for one in known["items"]] == [mine["text"], by_hand]


async def test_a_set_that_does_not_check_is_refused_whole(desk: Office) -> None:
    base = (await text_of(desk))["version"]
    (folder(desk) / "rules" / "other.yaml").write_text(RULE, "utf-8")  # the same id
    status, found = await send(desk, "PUT", FILE, {"text": RULE + "# x\n", "base": base, "reason": "a"})
    assert status == 422
    assert "规则标识“blocked”已用在" in found["findings"][0]["zh"]
    assert (await text_of(desk))["text"] == RULE


async def test_a_new_rule_goes_into_a_file_of_its_own(desk: Office) -> None:
    new = RULE.replace("blocked", "longer")
    save = {"text": new, "base": "", "reason": "新"}
    status, saved = await send(desk, "PUT", "/api/v1/rules/longer/file", save)
    assert (status, saved["file"]) == (200, "longer.yaml")
    assert (await send(desk, "PUT", "/api/v1/rules/longer/file", save))[0] == 409, "it is there already"
    for name in ("../x", "a/b", "A", "x" * 65):
        text = new.replace("longer", f'"{name}"')
        assert (await send(desk, "PUT", "/api/v1/rules/none/file", {**save, "text": text}))[0] == 422
    assert sorted(path.name for path in (folder(desk) / "rules").iterdir()) == ["blocked.yaml", "longer.yaml"]


async def test_one_zone_gets_a_rule_of_its_own_in_one_change(desk: Office) -> None:
    text = RULE.replace("blocked", "blocked_lane").replace("{kind: fire_lane}", "{kind: fire_lane, only: [lane]}")
    save = {"text": text, "base": "", "reason": "一条通道", "instead_of": "blocked"}
    status, _ = await send(desk, "PUT", "/api/v1/rules/blocked_lane/file", save)
    assert status == 200
    assert (await text_of(desk))["text"] == RULE.replace("fire_lane}", "fire_lane, without: [lane]}")
    served = {rule.id: rule.applies_to("lane") for rule in load_site(folder(desk) / "hub.yaml").rules}  # type: ignore[arg-type]
    assert served == {"blocked": False, "blocked_lane": True}


async def test_on_off_and_rehearsal_are_edits(desk: Office) -> None:
    await send(desk, "PUT", "/api/v1/rules/blocked/switch", {"reason": "a", "enabled": False, "dry_run": True})
    assert (await text_of(desk))["text"] == RULE + "enabled: false\ndry_run: true\n"
    site = load_site(folder(desk) / "hub.yaml")
    assert not site.program().slots, "a rule that is off looks at nothing"
    await send(desk, "PUT", "/api/v1/rules/blocked/switch", {"reason": "b", "enabled": True, "dry_run": False})
    assert (await text_of(desk))["text"] == RULE
    _, known = await send(desk, "GET", "/api/v1/rules/blocked/versions")
    assert [one["reason"] for one in known["items"]] == ["b", "a", ""]


async def test_why_says_that_a_rule_is_off(desk: Office) -> None:
    config = folder(desk) / "hub.yaml"
    (config.parent / "rules" / "blocked.yaml").write_text(RULE + "enabled: false\n", "utf-8")
    site = load_site(config)
    (rule,), (zone,) = site.rules, site.settings.site.zones.values()
    found = explain(rule, zone, site.program(), EngineState(), Instant(0), {})
    assert (found.cause, words.why(found, rule, "Asia/Shanghai", Text).zh) == (Cause.SWITCHED_OFF, "这条规则已停用。")


async def test_a_deleted_rule_keeps_its_versions(desk: Office) -> None:
    base = (await text_of(desk))["version"]
    assert (await send(desk, "DELETE", f"{FILE}?base=old&reason=x"))[0] == 409
    assert (await send(desk, "DELETE", f"{FILE}?base={base}&reason=x"))[0] == 204
    assert (await send(desk, "GET", FILE))[0] == 404
    _, known = await send(desk, "GET", "/api/v1/rules/blocked/versions")
    assert [one["text"] for one in known["items"]] == [None, RULE]
    _, gone = await send(desk, "GET", "/api/v1/rules/deleted")
    assert [(one["id"], one["author"], one["text"]) for one in gone["items"]] == [("blocked", "manager", RULE)]
    await send(desk, "PUT", FILE, {"text": RULE, "base": "", "reason": "y"})
    assert (await send(desk, "GET", "/api/v1/rules/deleted"))[1]["items"] == []


async def test_hand_edits_that_the_watcher_saw_are_versions(desk: Office) -> None:
    files, clock = desk.context.rule_files, desk.clock
    for text in (RULE, RULE, RULE.replace("3", "4")):
        clock.advance(MINUTE)
        now = {"blocked.yaml": ("blocked", text)}
        await desk.context.journal.execute(lambda db, now=now: note_files(db, now, clock.now()))  # type: ignore[misc]
    await desk.context.journal.execute(lambda db: note_files(db, {}, clock.now()))
    known = await desk.context.queries.versions("blocked.yaml")
    assert [one.text for one in known] == [None, RULE.replace("3", "4"), RULE]
    assert files.find("blocked") is not None


async def test_an_audit_trail_is_kept(desk: Office) -> None:
    await send(desk, "PUT", "/api/v1/rules/blocked/switch", {"reason": "a", "dry_run": True})
    rows = await desk.context.queries._all("SELECT actor, action FROM audit WHERE action = 'switch_rule'", ())
    assert rows == [("manager", "switch_rule")]


async def test_a_sentence_is_heard(desk: Office) -> None:
    status, sound = await send(desk, "POST", "/api/v1/speech", {"text": "{zone}禁止停车"})
    assert (status, sound[:4]) == (200, b"RIFF")
    assert len(sound) > 16_000, "a second at least"
    assert (await send(desk, "POST", "/api/v1/speech", {"text": ""}))[0] == 422
    assert (await send(desk, "POST", "/api/v1/speech", {"prompt": "second_warning"}))[0] == 200


def test_a_file_that_is_no_yaml_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "odd.yaml").write_text("rule: [", "utf-8")
    found = RuleFiles(tmp_path / "hub.yaml").find("odd")
    assert found is not None
    assert found.text == "rule: ["
    assert RuleFiles(tmp_path / "hub.yaml").find("../odd") is None


async def test_the_false_share_of_a_rule_is_that_of_what_people_judged(desk: Office) -> None:
    async def share() -> float | None:
        (rule,) = (await send(desk, "GET", "/api/v1/rules"))[1]["items"]
        return rule["false_share"]  # type: ignore[no-any-return]

    async def alarm(minutes: int, verdict: Verdict | None) -> None:
        at = Instant(desk.clock.now() + minutes * MINUTE)
        name, who = ActivationId(f"blocked@lane@{at}"), (RuleId("blocked"), ZoneId("lane"), at)
        decisions: list[Decision] = [Opened(*who, name, at, Duration(0), ()), IncidentOpened(*who, name, Severity.HIGH)]
        if verdict is None:  # its rule closed it, and nobody has said anything
            decisions.append(IncidentClosed(*who, name, Reason.CLEARED))
        await desk.context.journal.commit(Entry(at, decisions=decisions))
        if verdict is not None:
            step = Handling(name, IncidentState.CLOSED, at, "王师傅", verdict, "树影")
            assert await handle(desk.context.journal, step, IncidentState.OPEN)

    assert await share() is None
    await alarm(1, None)
    assert await share() is None
    await alarm(2, Verdict.RESOLVED)
    assert await share() == 0
    await alarm(3, Verdict.FALSE_ALARM)
    assert await share() == 0.5
