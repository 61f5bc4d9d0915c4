"""Every message in ``captures`` becomes what its line says; hostile ones become DecodeError and nothing else.

The lines name what they were written after: the standards, and values that cameras sent in public reports.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import DecodeError, DeviceError
from integrations.onvif import media
from integrations.onvif.events import read_granted
from integrations.onvif.kinds import KINDS, offered
from integrations.onvif.moment import device_time, lifetime
from integrations.onvif.notification import events
from integrations.onvif.soap import read
from integrations.onvif.tree import MAX_DEPTH, MAX_ELEMENTS, parse
from integrations.sim.onvif_messages import MOTION, notification, pulled, soap

FOLDER = Path(__file__).parents[1] / "captures"
PROBE = "urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def decoded(answer: bytes) -> list[list[Any]]:
    return [
        [
            event.kind.id,
            event.source[0][1],
            dict(event.source[1:]),
            event.active,
            event.operation.value,
            event.at.isoformat() if event.at else None,
        ]
        for event in events(read(answer, "PullMessagesResponse"))
    ]


@pytest.mark.parametrize("line", lines("pulled"), ids=lambda line: line["from"])
def test_pulled(line: dict[str, Any]) -> None:
    assert decoded(line["xml"].encode()) == line["expect"]


@pytest.mark.parametrize("line", lines("faults"), ids=lambda line: line["from"])
def test_faults(line: dict[str, Any]) -> None:
    with pytest.raises(DeviceError) as caught:
        read(line["xml"].encode(), "GetProfilesResponse")
    assert type(caught.value).__name__ == line["expect"]
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 300


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"<a>\x00</a>",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a><a/>',
        b"<a>&undefined;</a>",
        b"<x:a/>",
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>",
    ],
)
def test_refused_xml(xml: bytes) -> None:
    with pytest.raises(DecodeError):
        parse(xml)


def test_read_xml() -> None:
    assert parse(b"\xef\xbb\xbf<a>&lt;\xe9</a>").text == "<\ufffd", "a byte order mark, and Latin-1 under a wrong name"
    assert parse(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH).tag == "a"
    assert len(parse(b"<a><!-- c --><?p i?><b/></a>")) == 1


def test_topic_set() -> None:
    body = "<tev:GetEventPropertiesResponse><wstop:TopicSet>{}</wstop:TopicSet></tev:GetEventPropertiesResponse>"

    def kinds(topics: str) -> list[str]:
        return [kind.id for kind in offered(read(soap(body.format(topics)), "GetEventPropertiesResponse"))]

    assert kinds("") == []
    assert kinds('<tns1:VideoSource><MotionAlarm wstop:topic="true"/><GlobalSceneChange/></tns1:VideoSource>') == [
        "motion",
        "tamper",
    ]
    assert kinds("<tns1:Motion/><tns1:RuleEngine><LineDetector/></tns1:RuleEngine>") == []


def everything(body: bytes) -> None:
    """Read ``body`` in every way in which an answer is read."""
    for reader in (
        lambda: events(read(body, "PullMessagesResponse")),
        lambda: offered(read(body, "PullMessagesResponse")),
        lambda: device_time(read(body, "PullMessagesResponse")),
        lambda: lifetime(read(body, "PullMessagesResponse")),
        lambda: read_granted(read(body, "PullMessagesResponse")),
        lambda: media.read_address(read(body, "PullMessagesResponse")),
        lambda: media.read_profiles(read(body, "PullMessagesResponse")),
        lambda: media.read_services(read(body, "PullMessagesResponse"), "http://camera/"),
        lambda: media.read_capabilities(read(body, "PullMessagesResponse"), "http://camera/"),
    ):
        with contextlib.suppress(DecodeError, DeviceError):
            reader()


NAMES = (
    "Envelope Body Fault Code Value Subcode Header RelatesTo ProbeMatches ProbeMatch EndpointReference Address XAddrs "
    "Scopes PullMessagesResponse NotificationMessage Topic Message Source Data SimpleItem TopicSet RuleEngine Profiles "
    "Service Namespace XAddr Capabilities Media Events SystemDateAndTime UTCDateTime Date Year Month Day Time Hour "
    "Minute Second VideoSourceConfiguration SourceToken CurrentTime TerminationTime SubscriptionReference MediaUri Uri"
)
SAID = (
    "0 13 99999 -1 true 9999-12-31T23:59:59-23:59 1970-01-01T00:00:00+23:59 2020-01-01T00:00:00Z http://[ "
    f"http://a:99999/ http://169.254.169.254/ urn:uuid:abcd-1 http://ok/ {MOTION} {PROBE} {media.MEDIA} {media.EVENTS}"
)
WORDS = st.sampled_from(NAMES.split(" "))
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30) | st.sampled_from(SAID.split(" "))


def element(name: str, text: str, attributes: dict[str, str], inner: list[str]) -> str:
    def plain(said: str) -> str:
        return said.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")

    marks = "".join(f' {key}="{plain(value)}"' for key, value in attributes.items())
    return f"<{name}{marks}>{plain(text)}{''.join(inner)}</{name}>"


MARKS = st.dictionaries(st.sampled_from(["Name", "Value", "token", "UtcTime", "PropertyOperation"]), TEXTS, max_size=3)
TREES = st.recursive(
    st.builds(element, WORDS, TEXTS, MARKS, st.just([])),
    lambda inner: st.builds(element, WORDS, TEXTS, MARKS, st.lists(inner, max_size=4)),
    max_leaves=30,
)


@given(TREES)
def test_any_tree(tree: str) -> None:
    told = f"<PullMessagesResponse>{tree}</PullMessagesResponse>"
    matched = f"<ProbeMatches>{tree}</ProbeMatches>"
    for body in (told, matched):
        header = f"<Header><RelatesTo>{PROBE}</RelatesTo></Header>"
        everything(f"<Envelope>{header}<Body>{body}</Body></Envelope>".encode())


@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    everything(body)


@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    """A good message with some bytes replaced, cut off, or doubled."""
    good = pulled(notification(MOTION, {"IsMotion": "true"}, {"Rule": "a"}))
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    everything(good[:start] + data.draw(st.binary(max_size=8)) + good[end:])


def test_every_kind_has_its_own_name() -> None:
    assert len({kind.id for kind in KINDS}) == len(KINDS)
