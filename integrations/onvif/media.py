"""Services and media profiles of a camera: where its pictures and streams are."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from hub.sdk import DecodeError, Unsupported, clean
from integrations.onvif.address import follow, stream
from integrations.onvif.client import DEVICE, Ask, Client
from integrations.onvif.soap import question
from integrations.onvif.tree import Element, attribute, children, find, local, text

MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
#: Most profiles that are looked at: a recorder of 64 channels has 128 to 192.
_MAX_PROFILES = 256
_STREAM_SETUP = (
    '<q:StreamSetup xmlns:tt="http://www.onvif.org/ver10/schema"><tt:Stream>RTP-Unicast</tt:Stream>'
    "<tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></q:StreamSetup>"
)
_CATEGORIES = {"Media": MEDIA, "Events": EVENTS, "PTZ": PTZ}
_NAMESPACES = {MEDIA, MEDIA2, EVENTS, PTZ}


@dataclass(frozen=True, slots=True)
class Profile:
    """One media profile with the tokens of its video source; both may be empty."""

    token: str
    source: str
    configuration: str


async def services(client: Client) -> dict[str, str]:
    """Return namespace and address of the services on the camera's own host. Raises DeviceError."""
    asked = question("GetServices", DEVICE, "<q:IncludeCapability>false</q:IncludeCapability>")
    try:
        return await client.call(
            Ask(client.base, f"{DEVICE}/GetServices", asked), lambda answer: read_services(answer, client.base)
        )
    except Unsupported:  # firmware before ONVIF 2.1 knows only GetCapabilities
        asked = question("GetCapabilities", DEVICE, "<q:Category>All</q:Category>")
        return await client.call(
            Ask(client.base, f"{DEVICE}/GetCapabilities", asked), lambda answer: read_capabilities(answer, client.base)
        )


async def profiles(client: Client, found: dict[str, str]) -> tuple[Profile, ...]:
    """Return the camera's profiles, at least one. Raises DeviceError."""
    service, address = _media(found)
    inner = "<q:Type>VideoSource</q:Type>" if service == MEDIA2 else ""
    asked = Ask(address, f"{service}/GetProfiles", question("GetProfiles", service, inner))
    return await client.call(asked, read_profiles)


def choose(named: tuple[Profile, ...], token: str) -> Profile:
    """Return the profile ``token``, or the first. Raises Unsupported that names those there are."""
    for profile in named:
        if token in {"", profile.token}:
            return profile
    there = ", ".join(clean(profile.token, 40) for profile in named[:8])
    raise Unsupported(f"no profile {clean(token, 40)}; the camera has {there}")


def others(named: tuple[Profile, ...], own: Profile) -> frozenset[str]:
    """Return the tokens of the video sources that are not of ``own``: the other channels of a recorder."""
    foreign = [profile for profile in named if profile.source != own.source]
    tokens = {token for profile in foreign for token in (profile.source, profile.configuration)}
    return frozenset(tokens - {"", own.source, own.configuration})


async def snapshot_address(client: Client, found: dict[str, str], profile: Profile) -> str:
    """Return where a picture is now. Raises DeviceError; Unsupported where the camera gives none."""
    service, address = _media(found)
    asked = Ask(address, f"{service}/GetSnapshotUri", question("GetSnapshotUri", service, _token(profile)))
    return follow(await client.call(asked, read_address), client.base)


async def stream_address(client: Client, found: dict[str, str], profile: Profile) -> str:
    """Return the RTSP address of the profile. Raises DeviceError."""
    service, address = _media(found)
    inner = "<q:Protocol>RTSP</q:Protocol>" if service == MEDIA2 else _STREAM_SETUP
    asked = Ask(address, f"{service}/GetStreamUri", question("GetStreamUri", service, inner + _token(profile)))
    return stream(await client.call(asked, read_address), client.base)


def read_services(answer: Element, base: str) -> dict[str, str]:
    """Read a GetServicesResponse. Raises DecodeError; Unsupported for an address that may not be followed."""
    return _known([(text(each, "Namespace"), text(each, "XAddr")) for each in children(answer, "Service")], base)


def read_capabilities(answer: Element, base: str) -> dict[str, str]:
    """Read a GetCapabilitiesResponse. Raises DecodeError; Unsupported for an address that may not be followed."""
    parts = find(answer, "Capabilities")
    named = () if parts is None else parts
    return _known([(_CATEGORIES.get(local(each), ""), text(each, "XAddr")) for each in named], base)


def read_profiles(answer: Element) -> tuple[Profile, ...]:
    """Read a GetProfilesResponse of either media service. Raises DecodeError, also where there is no profile."""
    read = tuple(_profile(each) for each in list(children(answer, "Profiles"))[:_MAX_PROFILES])
    if not read:
        raise DecodeError("no media profile; create one on the camera's page")
    return read


def read_address(answer: Element) -> str:
    """Read a GetSnapshotUriResponse or GetStreamUriResponse of either media service. Raises DecodeError."""
    return text(answer, "MediaUri", "Uri") or text(answer, "Uri")


def _token(profile: Profile) -> str:
    return f"<q:ProfileToken>{escape(profile.token)}</q:ProfileToken>"


def _media(found: dict[str, str]) -> tuple[str, str]:
    for namespace in (MEDIA, MEDIA2):
        if namespace in found:
            return namespace, found[namespace]
    raise Unsupported("the camera names no media service")


def _known(named: list[tuple[str, str]], base: str) -> dict[str, str]:
    return {name: follow(address, base) for name, address in named if name in _NAMESPACES and address}


def _profile(element: Element) -> Profile:
    token = attribute(element, "token")
    if not token:
        raise DecodeError("a profile without a token")
    configuration = find(element, "VideoSourceConfiguration")
    if configuration is None:  # Media2
        configuration = find(element, "Configurations", "VideoSource")
    if configuration is None:
        return Profile(token, "", "")
    return Profile(token, text(configuration, "SourceToken", limit=64), attribute(configuration, "token"))
