"""Any camera that gives a picture by HTTP (snapshot address) or by RTSP; with both, RTSP is the fall-back.

HTTP: one GET, Basic or Digest as the camera asks. RTSP (RFC 2326) over TCP: ``grab.py`` in a process of its own.
"""

from __future__ import annotations

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, Unsupported, check_address, clean, entity_id
from integrations.generic_camera.camera import GenericCamera, Source
from integrations.generic_camera.config import DOMAIN, Config
from integrations.generic_camera.rtsp import RtspSource, video_installed
from integrations.generic_camera.snapshot import SnapshotSource

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration of one camera; the network is asked only for pictures, so a dead camera is still known.

    Raises Unsupported for a wrong address, none at all, or only RTSP without the extra ``video``.
    """
    sources: list[Source] = []
    if config.snapshot:
        check_address(config.snapshot, "http", "https")
        sources.append(SnapshotSource(tools.http, config))
    video = ""
    if config.rtsp:
        check_address(config.rtsp, "rtsp", "rtsps")
        stream = RtspSource(config)
        sources.append(stream)
        video = stream.url
    if not sources:
        raise Unsupported("enter a snapshot address, an RTSP address, or both")
    if not config.snapshot and not video_installed():
        raise Unsupported("pictures by RTSP need PyAV: install Menshen with the extra menshen[video]")
    entity = Entity(
        id=entity_id(DOMAIN, name), capability=Capability.CAMERA, name=config.name, device=clean(config.name.zh)
    )
    return (Equipment(entity, GenericCamera(tuple(sources), video)),)
