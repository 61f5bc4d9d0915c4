"""A camera that speaks ONVIF: checks each log-in by its own clock, keeps subscriptions that end, and lies if told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from aiohttp import web

from integrations.sim.onvif_messages import SPACES, fault, pulled, soap, stamp
from integrations.sim.process import Address
from integrations.sim.web import Handler, serving

USER, PASSWORD = "menshen", "pä<ss>&1"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\xff\xd9"
#: A camera takes no token that is older or newer than this.
SKEW = timedelta(seconds=5)
_NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"
TOPICS = (
    "<tns1:RuleEngine><CellMotionDetector><Motion/></CellMotionDetector><LineDetector><Crossed/></LineDetector>"
    "<FieldDetector><ObjectsInside/></FieldDetector></tns1:RuleEngine>"
    "<tns1:Device><Trigger><DigitalInput/></Trigger></tns1:Device>"
)
PROFILES = (
    '<trt:Profiles token="main"><tt:Name>main</tt:Name><tt:VideoSourceConfiguration token="vsc1">'
    "<tt:SourceToken>vs1</tt:SourceToken></tt:VideoSourceConfiguration></trt:Profiles>"
    '<trt:Profiles token="second"><tt:VideoSourceConfiguration token="vsc2">'
    "<tt:SourceToken>vs2</tt:SourceToken></tt:VideoSourceConfiguration></trt:Profiles>"
)
Answer = Callable[[], tuple[int, bytes]]


@dataclass
class Subscription:
    """One PullPoint: when it ends (loop clock, seconds), and what waits in it."""

    ends: float
    queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)


@dataclass
class FakeCamera:
    """One camera with two profiles."""

    offset: timedelta = timedelta()
    """How far its clock is off."""
    lives: float = 60.0
    """Seconds that a subscription is granted."""
    http_login: bool = False
    """HTTP Digest instead of the token in the envelope."""
    named: str = ""
    """The base address it names; empty is the right one."""
    topics: str = TOPICS
    profiles: str = PROFILES
    lies: dict[str, Answer] = field(default_factory=dict)
    """Instead of its answer to an operation; ``snapshot`` is the picture."""
    initial: list[str] = field(default_factory=list)
    """What a new subscription is told."""
    asked: list[str] = field(default_factory=list)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    renewed: int = 0
    refused: int = 0
    """Tokens that were wrong; real cameras lock the user after some."""
    authorizations: list[str] = field(default_factory=list)
    """How HTTP log-in was tried."""
    user: str = USER
    password: str = PASSWORD
    rtsp: int = 554
    """Port of its stream."""
    presets: dict[str, str] | None = None
    """Token and name of what it turns to; None: it does not turn."""
    turns: int = 2
    """How often it says that it is turning after it was told to."""
    tells: bool = True
    """Whether it says if it moves."""
    at: str = ""
    """Token of the preset it stands at; empty at home."""
    shows: Callable[[str], bytes] | None = None
    """What it sees at a preset (JPEG)."""
    deaf: bool = False
    """It takes every question and answers none."""
    _nonces: set[str] = field(default_factory=set)
    _made: int = 0
    _turning: int = 0
    _base: str = ""

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[str]:
        """Serve; yields the address."""
        soap_route: Handler = self._soap
        picture: Handler = self._snapshot
        routes = [web.post("/{service:.*}", soap_route), web.get("/snap.jpg", picture)]
        async with serving(routes, Address("127.0.0.1", port), hangs=True) as bound:
            self._base = f"http://127.0.0.1:{bound}"
            yield self._base

    def now(self) -> datetime:
        """Return what its clock says."""
        return datetime.now(UTC) + self.offset

    def tell(self, notification: str) -> None:
        """Tell all who are subscribed."""
        for subscription in self.subscriptions.values():
            subscription.queue.put_nowait(notification)

    async def _snapshot(self, request: web.Request) -> web.Response:
        self.asked.append("snapshot")
        if "snapshot" in self.lies:
            status, body = self.lies["snapshot"]()
            return web.Response(status=status, body=body)
        if not self._digest_is_right(request):
            return challenge()
        return web.Response(body=JPEG if self.shows is None else self.shows(self.at), content_type="image/jpeg")

    async def _soap(self, request: web.Request) -> web.Response:
        root = ElementTree.fromstring(await request.read())  # noqa: S314 - our own request
        question = next(iter(root.iterfind("s:Body/*", SPACES)))
        name = question.tag.rpartition("}")[2]
        self.asked.append(name)
        self.authorizations += request.headers.getall("Authorization", [])
        assert request.content_type == "application/soap+xml"  # noqa: S101 - it is strict with who asks
        if self.deaf:
            await asyncio.get_running_loop().create_future()
        if name in self.lies:
            status, body = self.lies[name]()
            moved = {"Location": "http://169.254.169.254/"} if status == 302 else {}
            kind = "application/soap+xml" if body else "text/plain"
            return web.Response(status=status, body=body, content_type=kind, headers=moved)
        if name != "GetSystemDateAndTime":
            if self.http_login and not self._digest_is_right(request):
                return challenge()
            if not self.http_login and not self._token_is_right(root):
                self.refused += 1
                return answer(fault("Sender", "ter:NotAuthorized", said="Sender not Authorized"), 400)
        handler = getattr(self, f"_{name}", None)
        if handler is None:
            return answer(fault("Receiver", "ter:ActionNotSupported", said="Action Not Implemented"), 500)
        said: web.Response = await handler(root, question, request)
        return said

    def _token_is_right(self, root: ElementTree.Element) -> bool:
        token = root.find("s:Header/wsse:Security/wsse:UsernameToken", SPACES)
        if token is None:
            return False
        user, password, nonce, created = (
            token.findtext(part, "", SPACES) for part in ("wsse:Username", "wsse:Password", "wsse:Nonce", "wsu:Created")
        )
        digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.password.encode()).digest()  # noqa: S324
        fresh = abs(datetime.fromisoformat(created) - self.now()) < SKEW and nonce not in self._nonces
        self._nonces.add(nonce)
        return fresh and user == self.user and password == base64.b64encode(digest).decode()

    async def _GetSystemDateAndTime(self, *_: object) -> web.Response:  # noqa: N802 - the operation's name
        now = self.now()
        return answer(
            soap(
                "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
                f"<tt:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
                f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
                f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
                "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
            )
        )

    def _digest_is_right(self, request: web.Request) -> bool:
        return digest_is_right(request, self.user, self.password)

    def _services(self) -> list[tuple[str, str]]:
        named = [("tds", "device_service"), ("trt", "media"), ("tev", "events")]
        return [*named, ("tptz", "ptz")] if self.presets is not None else named

    async def _GetServices(self, *_: object) -> web.Response:  # noqa: N802
        base = self.named or self._base
        rows = "".join(
            f"<tds:Service><tds:Namespace>{SPACES[space]}</tds:Namespace><tds:XAddr>{base}/onvif/{path}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for space, path in self._services()
        )
        return answer(soap(f"<tds:GetServicesResponse>{rows}</tds:GetServicesResponse>"))

    async def _GetCapabilities(self, *_: object) -> web.Response:  # noqa: N802
        base = self.named or self._base
        return answer(
            soap(
                "<tds:GetCapabilitiesResponse><tds:Capabilities>"
                f"<tt:Events><tt:XAddr>{base}/onvif/events</tt:XAddr></tt:Events>"
                f"<tt:Media><tt:XAddr>{base}/onvif/media</tt:XAddr></tt:Media>"
                + (f"<tt:PTZ><tt:XAddr>{base}/onvif/ptz</tt:XAddr></tt:PTZ>" if self.presets is not None else "")
                + "</tds:Capabilities></tds:GetCapabilitiesResponse>"
            )
        )

    async def _GetProfiles(self, *_: object) -> web.Response:  # noqa: N802
        return answer(soap(f"<trt:GetProfilesResponse>{self.profiles}</trt:GetProfilesResponse>"))

    async def _GetSnapshotUri(self, root: object, question: ElementTree.Element, *_: object) -> web.Response:  # noqa: N802
        token = question.findtext("trt:ProfileToken", "", SPACES)
        uri = f"<tt:Uri>{self.named or self._base}/snap.jpg?channel={token}&amp;q=1</tt:Uri>"
        return answer(
            soap(f"<trt:GetSnapshotUriResponse><trt:MediaUri>{uri}</trt:MediaUri></trt:GetSnapshotUriResponse>")
        )

    async def _GetStreamUri(self, root: object, question: ElementTree.Element, *_: object) -> web.Response:  # noqa: N802
        assert question.findtext("trt:StreamSetup/tt:Transport/tt:Protocol", "", SPACES) == "RTSP"  # noqa: S101
        uri = f"<tt:Uri>rtsp://10.0.0.7:{self.rtsp}/live/1</tt:Uri>"
        return answer(soap(f"<trt:GetStreamUriResponse><trt:MediaUri>{uri}</trt:MediaUri></trt:GetStreamUriResponse>"))

    async def _GetPresets(self, root: object, question: ElementTree.Element, *_: object) -> web.Response:  # noqa: N802
        assert question.findtext("tptz:ProfileToken", "", SPACES)  # noqa: S101
        rows = "".join(
            f'<tptz:Preset token="{token}"><tt:Name>{name}</tt:Name></tptz:Preset>'
            for token, name in (self.presets or {}).items()
        )
        return answer(soap(f"<tptz:GetPresetsResponse>{rows}</tptz:GetPresetsResponse>"))

    async def _GotoPreset(self, root: object, question: ElementTree.Element, *_: object) -> web.Response:  # noqa: N802
        token = question.findtext("tptz:PresetToken", "", SPACES)
        if token not in (self.presets or {}):
            return answer(fault("Sender", "ter:InvalidArgVal", "ter:NoToken"), 400)
        self.at, self._turning = token, self.turns
        return answer(soap("<tptz:GotoPresetResponse/>"))

    async def _GotoHomePosition(self, *_: object) -> web.Response:  # noqa: N802
        self.at = ""
        return answer(soap("<tptz:GotoHomePositionResponse/>"))

    async def _GetStatus(self, *_: object) -> web.Response:  # noqa: N802
        move = "MOVING" if self._turning > 0 else "IDLE"
        self._turning -= 1
        told = f"<tt:MoveStatus><tt:PanTilt>{move}</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus>"
        status = f"<tptz:PTZStatus>{told if self.tells else ''}<tt:UtcTime>{stamp(self.now())}</tt:UtcTime>"
        return answer(soap(f"<tptz:GetStatusResponse>{status}</tptz:PTZStatus></tptz:GetStatusResponse>"))

    async def _GetEventProperties(self, *_: object) -> web.Response:  # noqa: N802
        topics = f"<wstop:TopicSet>{self.topics}</wstop:TopicSet>"
        return answer(soap(f"<tev:GetEventPropertiesResponse>{topics}</tev:GetEventPropertiesResponse>"))

    async def _CreatePullPointSubscription(self, *_: object) -> web.Response:  # noqa: N802
        self._made += 1
        name = f"sub-{self._made}"
        self.subscriptions[name] = Subscription(asyncio.get_running_loop().time() + self.lives)
        for told in self.initial:
            self.subscriptions[name].queue.put_nowait(told)
        reference = (
            f"<tev:SubscriptionReference><wsa:Address>{self.named or self._base}/onvif/subscription</wsa:Address>"
            f"<wsa:ReferenceParameters><tev:SubscriptionId>{name}</tev:SubscriptionId></wsa:ReferenceParameters>"
            "</tev:SubscriptionReference>"
        )
        return answer(
            soap(
                f"<tev:CreatePullPointSubscriptionResponse>{reference}{self._times('wsnt', self.lives)}"
                "</tev:CreatePullPointSubscriptionResponse>"
            )
        )

    async def _PullMessages(  # noqa: N802
        self, root: ElementTree.Element, question: ElementTree.Element, request: web.Request
    ) -> web.Response:
        found = self._subscription(root, request)
        if found is None:
            return answer(fault("Sender", "ter:InvalidArgVal", "ter:ResourceUnknown"), 400)
        wait = re.fullmatch(r"PT(\d+)S", question.findtext("tev:Timeout", "", SPACES))
        assert wait is not None  # noqa: S101
        told = []
        try:
            async with asyncio.timeout(int(wait[1])):
                told.append(await found.queue.get())
            while not found.queue.empty():
                told.append(found.queue.get_nowait())
        except TimeoutError:
            pass
        left = found.ends - asyncio.get_running_loop().time()
        return answer(pulled(*told, times=self._times("tev", left)))

    async def _Renew(self, root: ElementTree.Element, question: object, request: web.Request) -> web.Response:  # noqa: N802
        found = self._subscription(root, request)
        if found is None:
            return answer(fault("Sender", "ter:InvalidArgVal", "ter:ResourceUnknown"), 400)
        found.ends = asyncio.get_running_loop().time() + self.lives
        self.renewed += 1
        return answer(soap(f"<wsnt:RenewResponse>{self._times('wsnt', self.lives)}</wsnt:RenewResponse>"))

    async def _Unsubscribe(self, root: ElementTree.Element, question: object, request: web.Request) -> web.Response:  # noqa: N802
        if self._subscription(root, request) is None:
            return answer(fault("Sender", "ter:InvalidArgVal", "ter:ResourceUnknown"), 400)
        del self.subscriptions[root.findtext("s:Header/tev:SubscriptionId", "", SPACES)]
        return answer(soap("<wsnt:UnsubscribeResponse/>"))

    def _subscription(self, root: ElementTree.Element, request: web.Request) -> Subscription | None:
        """Find it by the reference parameter in the header; WS-Addressing asks for the mark on it."""
        named = root.find("s:Header/tev:SubscriptionId", SPACES)
        if named is None or named.get(f"{{{SPACES['wsa']}}}IsReferenceParameter") != "true":
            return None
        if root.findtext("s:Header/wsa:To", "", SPACES) != str(request.url):
            return None
        found = self.subscriptions.get(named.text or "")
        return found if found is not None and found.ends > asyncio.get_running_loop().time() else None

    def _times(self, space: str, lives: float) -> str:
        now = self.now()
        end = stamp(now + timedelta(seconds=lives))
        return (
            f"<{space}:CurrentTime>{stamp(now)}</{space}:CurrentTime>"
            f"<{space}:TerminationTime>{end}</{space}:TerminationTime>"
        )


def answer(body: bytes, status: int = 200) -> web.Response:
    """Wrap an envelope."""
    return web.Response(status=status, body=body, content_type="application/soap+xml")


def challenge() -> web.Response:
    """Ask for HTTP Digest."""
    asked = f'Digest realm="camera", qop="auth", algorithm=MD5, nonce="{_NONCE}"'
    return web.Response(status=401, headers={"WWW-Authenticate": asked})


def digest_is_right(request: web.Request, user: str = USER, password: str = PASSWORD) -> bool:
    """RFC 7616, section 3.4.1, with the MD5 that most cameras still use."""
    said = request.headers.get("Authorization", "")
    fields = {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}
    if not said.startswith("Digest ") or fields.get("nonce") != _NONCE or fields.get("uri") != request.path_qs:
        return False

    def digest(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    middle = ":".join(fields[key] for key in ("nonce", "nc", "cnonce", "qop"))
    own = f"{digest(f'{user}:camera:{password}')}:{middle}:{digest(f'{request.method}:{request.path_qs}')}"
    return fields.get("response") == digest(own) and fields.get("username") == user
