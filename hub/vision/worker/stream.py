"""Opens the stream of a camera: RTSP over TCP through FFmpeg, with nothing but what a camera needs."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av

from hub.model.errors import BadCredentials, Unreachable, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

#: Seconds for each wait on the network.
TIMEOUT = 10.0
#: Largest picture in pixels: an 8K frame.
MAX_PIXELS = 7680 * 4320

#: TCP only (UDP loses pieces of large key frames), no audio, and no protocol beside these (FFmpeg's documentation,
#: "Protocol Options" and "rtsp").
_OPTIONS = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls",
    "tls_verify": "1",
    "ca_file": ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt",
}


@contextmanager
def opened(url: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a stream. Raises DeviceError, also for what fails while it is read; never with the address in it."""
    if urlsplit(url).scheme not in {"rtsp", "rtsps"}:
        raise Unsupported("the address must begin with rtsp:// or rtsps://")
    try:
        with av.open(url, format="rtsp", options=_OPTIONS, timeout=TIMEOUT) as container:
            if not container.streams.video:
                raise Unsupported("the stream has no video")
            stream = container.streams.video[0]
            if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
                raise Unsupported(f"the picture has more than {MAX_PIXELS} pixels")
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}  # it may grow later
            yield container, stream
    except (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError):
        raise BadCredentials("the camera refused the user or the password") from None
    except av.error.HTTPNotFoundError:
        raise Unsupported("the camera has no such stream (RTSP 404); check the path") from None
    except (av.error.DecoderNotFoundError, av.error.ProtocolNotFoundError) as error:
        raise Unsupported(f"the stream cannot be read ({error.strerror})") from None
    except (av.error.FFmpegError, OSError) as error:
        raise Unreachable(f"no stream from the camera ({error.strerror})") from None
