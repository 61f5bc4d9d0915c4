"""`plans` of hub.yaml: what is wrong is found, edits keep comments, and a picture is known by its bytes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from hub.config.edit import SiteEditor
from hub.config.picture import LARGEST, LONGEST, Picture, look_at
from hub.config.plans import Plan
from hub.config.site import load_site
from hub.model.errors import ConfigError

SITE = """\
site: {id: test, name: "小区"}
zones:
  lane: {kind: fire_lane, name: 车道, bind: {}}   # north
  gate: {kind: gate, name: 大门, bind: {}}
"""
PLAN = """\
plans:
  main:                         # drawn by hand
    name: 平面图
    image: plans/main.png
    zones:
      lane: [[0, 0], [0.5, 0.25], [1, 1]]   # along the wall
    devices:
      mqtt_discovery.d9: [0.25, 0.75]
"""


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **more: bool) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "#cdb9a0").save(file, kind, **more)
    return file.getvalue()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    file = tmp_path / "hub.yaml"
    file.write_text(SITE, "utf-8")
    return file


def plan(config: Path) -> Plan:
    return load_site(config).settings.plans["main"]


def test_a_plan_reads(config: Path) -> None:
    config.write_text(SITE + PLAN, "utf-8")
    found = plan(config)
    assert (found.name.zh, found.image) == ("平面图", "plans/main.png")
    assert found.zones == {"lane": ((0, 0), (0.5, 0.25), (1, 1))}
    assert found.devices == {"mqtt_discovery.d9": (0.25, 0.75)}


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "says"),
    [
        ("lane: [[0, 0]", "lame: [[0, 0]", 10, 7, "no zone `lame`; did you mean `lane`?"),
        ("[0.5, 0.25]", "[0.5, 1.25]", 10, 28, "between 0 and 1, not at 1.25"),
        ("[0.5, 0.25]", "[-0.1, 0.25]", 10, 23, "between 0 and 1, not at -0.1"),
        ("[0.5, 0.25]", "[left, 0.25]", 10, 23, "must be a number"),
        ("[0.5, 0.25]", "[0.5]", 10, 22, "is `[x, y]`"),
        ("[0, 0], [0.5, 0.25], ", "[0, 0], ", 10, 13, "3 to 40 corners, this has 2"),
        ("mqtt_discovery.d9", "Door 9", 12, 7, "is no entity"),
        ("[0.25, 0.75]", "0.25", 12, 26, "must be a list"),
        ("plans/main.png", "plans/../secrets.yaml", 8, 12, "must be a file like `plans/main.png`"),
        ("plans/main.png", "plans/main.svg", 8, 12, "must be a file like `plans/main.png`"),
        ("image:", "picture:", 7, 5, "needs `image`"),
    ],
)
def test_what_is_wrong_is_found_where_it_stands(
    config: Path, old: str, new: str, line: int, column: int, says: str
) -> None:
    assert old in PLAN
    config.write_text(SITE + PLAN.replace(old, new), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_site(config)
    found = [(one.mark.line, one.mark.column) for one in caught.value.findings if says in one.sentence]
    assert found == [(line, column)], caught.value.findings


def test_an_edit_keeps_comments_and_writes_places_on_one_line(config: Path) -> None:
    config.write_text(SITE + PLAN, "utf-8")
    editor = SiteEditor(config)
    editor.draw("main", "gate", ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4)))
    editor.place("main", "mqtt_discovery.d9", (0.0001, 1.0))
    text = config.read_text("utf-8")
    assert "# drawn by hand" in text
    assert "# along the wall" in text
    assert "gate: [[0.1, 0.2], [0.3, 0.2], [0.3, 0.4]]" in text
    assert plan(config).devices == {"mqtt_discovery.d9": (0.0001, 1.0)}
    editor.place("main", "mqtt_discovery.d9", None)
    editor.draw("main", "gate", None)
    editor.draw("main", "gate", None)  # what is not there can be taken away
    assert plan(config).devices == {}
    assert plan(config).zones.keys() == {"lane"}


def test_a_zone_that_goes_goes_from_the_plan(config: Path) -> None:
    config.write_text(SITE + PLAN, "utf-8")
    SiteEditor(config).remove("zones", "lane")
    assert plan(config).zones == {}


def test_the_site_folder_holds_the_picture(config: Path) -> None:
    editor = SiteEditor(config)
    editor.put_picture("main", picture(), {"zh": "平面图"})
    editor.place("main", "mqtt_discovery.d9", (0.5, 0.5))
    file = config.parent / plan(config).image
    assert file.read_bytes() == picture()
    editor.put_picture("main", picture("JPEG"), None)  # another kind: the old file goes, what was placed stays
    assert [one.name for one in (config.parent / "plans").iterdir()] == ["main.jpg"]
    assert (plan(config).name.zh, plan(config).image) == ("平面图", "plans/main.jpg")
    assert plan(config).devices == {"mqtt_discovery.d9": (0.5, 0.5)}
    editor.remove_plan("main")
    assert not list((config.parent / "plans").iterdir())
    assert load_site(config).settings.plans == {}


def test_a_refused_plan_leaves_no_picture(config: Path) -> None:
    editor, before = SiteEditor(config), config.read_bytes()
    with pytest.raises(ConfigError, match="needs `name`"):
        editor.put_picture("main", picture(), None)
    with pytest.raises(ConfigError, match="is no name"):
        editor.put_picture("../main", picture(), {"zh": "平面图"})
    with pytest.raises(ConfigError, match="no plan `main`"):
        editor.draw("main", "lane", ((0, 0), (0, 1), (1, 1)))
    assert not list((config.parent / "plans").iterdir())
    assert config.read_bytes() == before


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (picture("PNG"), "png"),
        (picture("JPEG"), "jpg"),
        (picture("JPEG", progressive=True), "jpg"),
        (picture("WEBP"), "webp"),
        (picture("WEBP", lossless=True), "webp"),
    ],
    ids=["png", "jpeg", "progressive", "webp", "lossless"],
)
def test_a_picture_is_known_by_its_bytes(data: bytes, ending: str) -> None:
    assert look_at(data) == Picture(ending, 60, 40)
    for length in range(24):
        with pytest.raises(ValueError, match="is no PNG"):
            look_at(data[:length])


def test_a_picture_with_an_alpha_channel_is_measured() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (60, 40), (1, 2, 3, 100)).save(file, "WEBP")  # the extended form, VP8X
    assert look_at(file.getvalue()) == Picture("webp", 60, 40)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "is no PNG"),
        (b"GIF89a" + bytes(40), "is no PNG"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 20, "is no PNG"),
        (b"\xff\xd8" + b"\xff" * 60, "is no PNG"),
        (picture(size=(LONGEST + 1, 1)), "8000 pixels a side, this has 8001 x 1"),
        (picture() + bytes(LARGEST), "at most 8 MiB"),
    ],
    ids=["svg", "gif", "no-lengths", "fill", "wide", "large"],
)
def test_what_is_no_picture_of_a_site_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        look_at(data)
