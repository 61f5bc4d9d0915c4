"""The child that takes one picture of an RTSP stream; it imports nothing of ours, so that it starts fast.

Standard input: ``{"url": …, "timeout": seconds}``; a pipe, as the address holds the password and arguments are seen
by every user of the machine. Standard output: a JPEG and exit code 0, or a sentence and one of the codes below.
"""

from __future__ import annotations

import json
import resource
import ssl
import sys
from fractions import Fraction
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

UNREACHABLE, BAD_CREDENTIALS, UNSUPPORTED = 10, 11, 12

#: Largest picture given, in bytes, and largest decoded, in pixels: an 8K frame. A 4K JPEG is about 4 MB.
MAX_JPEG = 16 * 1024 * 1024
MAX_PIXELS = 7680 * 4320
#: Address space of this process, in bytes: a 4K HEVC key frame took 0.36 GB, an 8K one has four times the pixels.
MAX_MEMORY = 2 * 1024**3

#: TCP only (UDP loses pieces of large key frames), no audio, and no protocol that a stream could make FFmpeg open
#: beside these (its documentation, "Protocol Options" and "rtsp").
OPTIONS = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls",
    "tls_verify": "1",  # FFmpeg's default is not to
    "ca_file": ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt",
}


class GrabError(Exception):
    """No picture. ``code`` is the exit code."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def grab(url: str, timeout: float) -> bytes:
    """Return the first key frame of a stream as JPEG. ``timeout`` in seconds is for each wait. Raises GrabError."""
    scheme = urlsplit(url).scheme
    if scheme not in {"rtsp", "rtsps"}:
        raise GrabError(UNSUPPORTED, "the address must begin with rtsp:// or rtsps://")
    try:
        import av  # 0.15 s, and not there without the extra
    except ImportError:
        raise GrabError(UNSUPPORTED, "PyAV is missing: install Menshen with the extra menshen[video]") from None
    try:
        with av.open(url, format="rtsp", options=OPTIONS, timeout=timeout) as container:
            return to_jpeg(first_key_frame(container))
    except (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError):
        raise GrabError(BAD_CREDENTIALS, "the camera refused the user or the password") from None
    except av.error.HTTPNotFoundError:
        raise GrabError(UNSUPPORTED, "the camera has no such stream (RTSP 404); check the path") from None
    except (av.error.DecoderNotFoundError, av.error.ProtocolNotFoundError) as error:
        raise GrabError(UNSUPPORTED, f"the stream cannot be read ({error.strerror})") from None
    except (av.error.FFmpegError, OSError) as error:
        # Never str(error): it holds the address.
        hint = "; this machine may not trust its certificate" if scheme == "rtsps" else ""
        raise GrabError(UNREACHABLE, f"no stream from the camera ({error.strerror}){hint}") from None


def first_key_frame(container: InputContainer) -> VideoFrame:
    """Return the first whole picture of the first video stream. Raises GrabError."""
    if not container.streams.video:
        raise GrabError(UNSUPPORTED, "the stream has no video")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context.width * context.height > MAX_PIXELS:
        raise GrabError(UNSUPPORTED, f"the picture has more than {MAX_PIXELS} pixels")
    context.skip_frame = "NONKEY"
    context.thread_count = 1  # one picture gains nothing from more, and each reserves memory
    for frame in container.decode(stream):
        if not frame.is_corrupt:
            return frame
    raise GrabError(UNREACHABLE, "the stream ended before a whole picture")


def to_jpeg(frame: VideoFrame) -> bytes:
    """Encode one frame. FFmpeg's encoder takes ``yuv420p`` only as "unofficial"; the range must be the full one."""
    from av import CodecContext
    from av.video.codeccontext import VideoCodecContext
    from av.video.reformatter import ColorRange

    full = frame.reformat(format="yuv420p", dst_color_range=ColorRange.JPEG)
    full.pts = None
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101 (a video codec)
    encoder.width, encoder.height, encoder.pix_fmt = full.width, full.height, "yuv420p"
    encoder.color_range = ColorRange.JPEG
    encoder.framerate = Fraction(1)
    encoder.options = {"strict": "unofficial", "qmin": "2", "qmax": "4"}  # q 2 is best, 31 worst
    return b"".join(bytes(packet) for packet in (*encoder.encode(full), *encoder.encode(None)))


def confine(timeout: float) -> None:
    """Bound what a hostile stream can make this process use; a core file would hold the password."""
    cpu = round(timeout) + 1
    for kind, limit in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def main() -> int:
    """Answer the question on standard input and return the exit code."""
    question = json.loads(sys.stdin.buffer.read(8 * 1024))
    timeout = float(question["timeout"])
    confine(timeout)
    try:
        answer, code = grab(str(question["url"]), timeout), 0
    except GrabError as error:
        answer, code = str(error).encode(), error.code
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
