"""What is sent, where to, and what a camera's times are worth."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from hub.sdk import DecodeError, Unsupported
from integrations.onvif.address import follow, stream
from integrations.onvif.config import device_service
from integrations.onvif.events import read_granted
from integrations.onvif.media import Profile, read_address, read_capabilities, read_profiles, read_services
from integrations.onvif.moment import device_time, instant, lifetime, parse_time
from integrations.onvif.soap import Login, envelope, password_digest, question, read
from integrations.onvif.tests.kit import config
from integrations.onvif.tree import parse
from integrations.sim.onvif_messages import SPACES, soap


def test_digest_of_the_programmers_guide() -> None:
    """ONVIF Application Programmer's Guide 1.0, section 6.1.1.3."""
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    assert password_digest(nonce, "2010-09-16T07:50:45Z", "userpassword") == "tuOSpGlFlIXsozq4HFNeeGeFLEI="


def test_the_user_is_text_and_no_xml() -> None:
    login = Login("a<b>&\"'", "p", datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), bytes(16))
    root = ElementTree.fromstring(envelope(question("X", "urn:x"), login.header()))  # noqa: S314 - our own
    token = root.find("s:Header/wsse:Security/wsse:UsernameToken", SPACES)
    assert token is not None
    assert token.findtext("wsse:Username", "", SPACES) == "a<b>&\"'"
    assert token.findtext("wsu:Created", "", SPACES) == "2026-01-02T03:04:05Z"
    assert root.find("s:Body/{urn:x}X", SPACES) is not None


@pytest.mark.parametrize(
    ("named", "base", "expected"),
    [
        ("http://10.0.0.9/onvif/media", "http://10.0.0.9/x", "http://10.0.0.9/onvif/media"),
        ("http://10.0.0.9:2020/event?a=b&c#d", "http://10.0.0.9/x", "http://10.0.0.9:2020/event?a=b&c"),
        ("http://CAM.local/a", "http://cam.LOCAL:81/x", "http://cam.local/a"),
        ("http://192.168.1.64:8000/a?b", "http://nat.example:8080/x", "http://nat.example:8080/a?b"),
        ("http://127.0.0.1/a", "https://cam:8443/x", "https://cam:8443/a"),
        ("http://cam:80/a", "https://cam:8443/x", "https://cam:8443/a"),
        ("https://cam/a", "http://cam/x", "https://cam/a"),
        ("http://admin:secret@cam/a", "http://cam/x", "http://cam/a"),
        ("http://cam@169.254.169.254.example/a", "http://cam/x", "http://cam/a"),
        ("http://[2001:db8::1]:81/a", "http://[2001:db8::1]/x", "http://[2001:db8::1]:81/a"),
        ("http://[::ffff:169.254.169.254]/latest", "http://cam/x", "http://cam/latest"),
        ("http://2852039166/latest", "http://cam/x", "http://cam/latest"),
        ("http://169.254.3.4:81/a", "http://169.254.3.4/x", "http://169.254.3.4:81/a"),
        ("http://cam//evil.example/a", "http://cam/x", "http://cam//evil.example/a"),
        ("http://10.0.0.9", "http://cam/x", "http://cam/"),
    ],
)
def test_followed(named: str, base: str, expected: str) -> None:
    assert follow(named, base) == expected


@pytest.mark.parametrize(
    "named",
    [
        *("", "/snap.jpg", "//evil.example/a", "file:///etc/passwd", "javascript:alert(1)", "rtsp://cam/a", "http://"),
        *("http://169.254.169.254/latest", "http://[fe80::1]/a", "http://[::1", "http://cam:99999/", "http://cam:x/"),
        *("http://cam/\r\nX: y", "http://cam/a b", "http://cam/门", "http://cam/" + "a" * 1024),
    ],
)
def test_not_followed(named: str) -> None:
    with pytest.raises(Unsupported):
        follow(named, "http://cam/x")


def test_streams_keep_their_port() -> None:
    assert stream("rtsp://10.0.0.9:554/a?b=c", "http://cam:8080/x") == "rtsp://cam:554/a?b=c"
    assert stream("rtsp://u:p@cam/a", "https://[::1]/x") == "rtsp://[::1]/a"
    for named in ("http://cam/a", "rtsp://169.254.169.254/a", ""):
        with pytest.raises(Unsupported):
            stream(named, "http://cam/x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://cam", "http://cam/onvif/device_service"),
        ("https://cam:8443/", "https://cam:8443/onvif/device_service"),
        ("http://cam/device?x=1#y", "http://cam/device?x=1"),
    ],
)
def test_device_service(url: str, expected: str) -> None:
    assert device_service(config(url)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-03-04T05:06:07Z", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2026-03-04T13:06:07.123456789+08:00", datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)),
        ("", None),
        ("now", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-03-04T05:06:07Z" + " " * 40, None),
    ],
)
def test_times(said: str, expected: datetime | None) -> None:
    assert parse_time(said) == expected


def test_instants_are_whole_microseconds() -> None:
    assert instant(datetime(1970, 1, 2, 0, 0, 0, 5, tzinfo=UTC)) == 86_400_000_005
    assert instant(None) is None


@pytest.mark.parametrize(
    ("now", "end", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", 60.0),
        ("2026-01-01T00:00:00Z", "2025-01-01T00:01:00Z", 1.0),
        ("2026-01-01T00:00:00Z", "2099-01-01T00:01:00Z", 86_400.0),
        ("2026-01-01T00:00:00Z", "never", None),
        ("", "2026-01-01T00:00:00Z", None),
    ],
)
def test_lifetimes(now: str, end: str, expected: float | None) -> None:
    answer = f"<a><CurrentTime>{now}</CurrentTime><TerminationTime>{end}</TerminationTime></a>"
    assert lifetime(parse(answer.encode())) == expected


def test_the_camera_s_clock() -> None:
    def said(year: str, second: str) -> bytes:
        date = f"<tt:Date><tt:Year>{year}</tt:Year><tt:Month>2</tt:Month><tt:Day>28</tt:Day></tt:Date>"
        time = f"<tt:Time><tt:Hour>23</tt:Hour><tt:Minute>59</tt:Minute><tt:Second>{second}</tt:Second></tt:Time>"
        inner = f"<tt:UTCDateTime>{time}{date}</tt:UTCDateTime>"
        return soap(f"<tds:R><tds:SystemDateAndTime>{inner}</tds:SystemDateAndTime></tds:R>")

    assert device_time(read(said("2026", "60"), "R")) == datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert device_time(read(said("9999", "1"), "R")) is None
    assert device_time(read(soap("<tds:R/>"), "R")) is None
    for year, second in (("twenty", "1"), ("", "1"), ("2026", "-1"), ("20260", "1")):
        with pytest.raises(DecodeError):
            device_time(read(said(year, second), "R"))


def test_services_of_others_are_not_kept() -> None:
    rows = (("trt", "http://cam/m"), ("tev", ""), ("tds", "ftp://x/"), ("tr2", "http://10.0.0.1/m2"))
    body = "".join(
        f"<tds:Service><tds:Namespace>{SPACES[space]}</tds:Namespace><tds:XAddr>{named}</tds:XAddr></tds:Service>"
        for space, named in rows
    )
    found = read_services(read(soap(f"<tds:R>{body}</tds:R>"), "R"), "http://cam/x")
    assert found == {SPACES["trt"]: "http://cam/m", SPACES["tr2"]: "http://cam/m2"}
    assert read_capabilities(read(soap("<tds:R/>"), "R"), "http://cam/x") == {}


def test_profiles_and_addresses_of_both_media_services() -> None:
    second = (
        '<tr2:R><tr2:Profiles token="p"><tr2:Configurations><tr2:VideoSource token="c">'
        "<tt:SourceToken>s</tt:SourceToken></tr2:VideoSource></tr2:Configurations></tr2:Profiles>"
        '<tr2:Profiles token="q"/></tr2:R>'
    )
    assert read_profiles(read(soap(second), "R")) == (Profile("p", "s", "c"), Profile("q", "", ""))
    assert read_address(read(soap("<tr2:R><tr2:Uri> http://a/ </tr2:Uri></tr2:R>"), "R")) == "http://a/"
    assert (
        read_address(read(soap("<trt:R><trt:MediaUri><tt:Uri>http://b/</tt:Uri></trt:MediaUri></trt:R>"), "R"))
        == "http://b/"
    )
    for body in ("<tr2:R/>", '<tr2:R><tr2:Profiles token="' + "x" * 65 + '"/></tr2:R>'):
        with pytest.raises(DecodeError):
            read_profiles(read(soap(body), "R"))


def test_reference_parameters_go_back_as_they_came() -> None:
    def granted(inner: str) -> tuple[str, ...]:
        reference = f"<wsa:Address>http://a/</wsa:Address><wsa:ReferenceParameters>{inner}</wsa:ReferenceParameters>"
        body = f"<tev:R><tev:SubscriptionReference>{reference}</tev:SubscriptionReference></tev:R>"
        return read_granted(read(soap(body), "R")).reference

    (written,) = granted('<x:Id xmlns:x="urn:x" k="1">a&lt;<x:b/></x:Id>')
    back = parse(envelope("<a/>", written)).find("s:Header/{urn:x}Id", SPACES)
    assert back is not None
    assert (back.text, back.get("k"), back.get(f"{{{SPACES['wsa']}}}IsReferenceParameter")) == ("a<", "1", "true")
    assert granted("") == ()
    with pytest.raises(DecodeError):
        granted("<a>" + "x" * 2048 + "</a>")
