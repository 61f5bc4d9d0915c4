"""Whose certificates are believed."""

from __future__ import annotations

import ssl
from pathlib import Path

from hub.sdk import Unsupported


def trust(ca: str, site: Path) -> ssl.SSLContext:
    """Return a context that verifies certificate and name, against the system's authorities or ``ca`` below ``site``.

    Reads files. Raises Unsupported when ``ca`` cannot be used.
    """
    if not ca:
        return ssl.create_default_context()
    try:
        file = (site / ca).resolve()
        if not file.is_relative_to(site.resolve()):
            raise Unsupported("`ca` must name a file in the site folder")
        return ssl.create_default_context(cafile=str(file))
    except (OSError, ValueError):  # an SSLError is an OSError; a NUL in a name is a ValueError
        raise Unsupported("the file that `ca` names is missing or holds no PEM certificate") from None
