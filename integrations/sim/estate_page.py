"""The control page of the simulated estate; its parts are in ``assets``."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from integrations.sim.web import page

_PARTS = Path(__file__).with_name("assets")
BODY, STYLE, SCRIPT = ((_PARTS / f"estate.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))


def estate_page() -> web.Response:
    """Return the page."""
    return page("模拟小区控制台", "Simulated estate", BODY, SCRIPT, STYLE)
