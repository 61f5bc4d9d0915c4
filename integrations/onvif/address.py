"""Addresses that a camera names: its services, subscriptions, pictures and streams.

What a device names is never a reason to talk to another host. Cameras behind NAT name the address they have inside, and
some name 0.0.0.0 or 127.0.0.1; of these only path and query are used, on the host and port that the site entered.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from hub.sdk import Unsupported

#: Longest address that is followed, in characters.
MAX_ADDRESS = 1024


def follow(named: str, base: str) -> str:
    """Return where to find ``named`` on the device that the site entered as ``base`` (http or https).

    The named port counts only with the very host of ``base``, and TLS is never given up. User and password in the
    address are left out: those that the site entered are used. Raises Unsupported.
    """
    parts, own = _split(named, "http", "https"), urlsplit(base)
    same = parts.hostname == own.hostname and (parts.scheme == own.scheme or own.scheme == "http")
    scheme, place = (parts.scheme, _netloc(parts, parts.port)) if same else (own.scheme, own.netloc)
    if not same:
        _refuse_link_local(parts)
    return urlunsplit((scheme, place, parts.path or "/", parts.query, ""))


def stream(named: str, base: str) -> str:
    """Return the RTSP address ``named`` on the host of ``base``; its port stays. Raises Unsupported."""
    parts, own = _split(named, "rtsp", "rtsps"), urlsplit(base)
    if parts.hostname != own.hostname:
        _refuse_link_local(parts)
    return urlunsplit((parts.scheme, _netloc(own, parts.port), parts.path, parts.query, ""))


def _split(named: str, *schemes: str) -> SplitResult:
    if len(named) > MAX_ADDRESS or not named.isascii() or not named.isprintable() or " " in named:
        raise Unsupported("the camera names something that is no address")
    try:
        parts = urlsplit(named)
        host, _port = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise Unsupported("the camera names something that is no address") from None
    if parts.scheme not in schemes or not host:
        raise Unsupported(f"the camera names an address that is not {' or '.join(schemes)}")
    return parts


def _netloc(parts: SplitResult, port: int | None) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return host if port is None else f"{host}:{port}"


def _refuse_link_local(parts: SplitResult) -> None:
    """A camera behind NAT has no reason to name 169.254.0.0/16 or fe80::/10, where clouds keep their secrets."""
    try:
        forbidden = ip_address(parts.hostname or "").is_link_local
    except ValueError:
        return  # a name; its host is replaced
    if forbidden:
        raise Unsupported("the camera names a link-local address of another host")
