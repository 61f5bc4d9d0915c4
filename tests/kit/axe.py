"""What axe-core finds wrong with a page for people who use a keyboard or a screen reader, or see little contrast."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.kit.site import ROOT

_AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"


def serious(page: Page, part: str = "html") -> list[str]:
    """Return what is serious or critical in a part of the page, once nothing fades.

    A text that is half faded in, and a button that was busy, are pale for a moment.
    """
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(
        "() => Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition)"
        ".map((one) => one.finished.catch(() => null)))"
    )
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text("utf-8"))
    found = page.evaluate("async (part) => (await axe.run(part)).violations", part)
    return [
        f"{one['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in found if one["impact"] in {"serious", "critical"} for node in one["nodes"]
    ]  # fmt: skip
