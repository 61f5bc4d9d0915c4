"""The schema that editors get: the shipped site fits it, and what `menshen check` refuses does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hub.config.device_schema import device_schema
from hub.config.integrations import known, manifest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def schema() -> Any:
    found = device_schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def errors(schema: Any, site: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(site)]


def test_the_shipped_site_fits(schema: Any) -> None:
    assert errors(schema, yaml.safe_load((ROOT / "hub.yaml").read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        ({"rtp_speakr": {}}, "rtp_speakr"),
        ({"http_speaker": {"gate": {"name": "门"}}}, "'url' is a required property"),
        ({"http_speaker": {"gate": {"name": "门", "url": "x", "colour": "red"}}}, "colour"),
        ({"http_speaker": {"Gate 1": {"name": "门", "url": "x"}}}, "Gate 1"),
        ({"rtp_speaker": {"gate": {"name": "门", "address": "1.2.3.4", "port": "x"}}}, "'x' is not of type 'integer'"),
        ({"http_speaker": {"gate": {"name": "门", "url": "x", "password": {"secrets": "y"}}}}, "secrets"),
    ],
)
def test_what_is_wrong_does_not(schema: Any, devices: Any, says: str) -> None:
    assert any(says in message for message in errors(schema, {"devices": devices}))


def test_every_field_of_every_manifest_has_a_type_that_editors_know() -> None:
    types = {"name", "text", "number", "integer", "boolean", "choice", "list", "map"}
    strange = {
        (domain, name): field.get("type")
        for domain in known()
        for name, field in manifest(domain).config.items()
        if field.get("type") not in types or (field.get("type") == "choice" and not field.get("choices"))
    }
    assert strange == {}


@pytest.mark.parametrize(
    ("see", "right"),
    [
        ({"camera": "onvif.north", "as": "lane", "polygon": [[0, 0], [1, 0], [0.5, 1]]}, True),
        ([{"camera": "onvif.north", "as": "health"}, {"camera": "onvif.south", "as": "falling"}], True),
        ({"camera": "onvif.north", "as": "lane"}, False),
        ({"camera": "onvif.north", "as": "lane", "polygon": [[0, 0], [2, 0], [0.5, 1]]}, False),
        ({"camera": "onvif.north", "as": "falling", "floors": [[0.5, 0.9, 1]]}, False),
        ({"camera": "onvif.north", "as": "health", "polygon": [[0, 0], [1, 0], [0.5, 1]]}, False),
        ({"camera": "north", "as": "health"}, False),
    ],
)
def test_what_cameras_look_for(schema: Any, see: Any, right: bool) -> None:
    assert (errors(schema, {"zones": {"lane": {"see": see}}}) == []) is right
