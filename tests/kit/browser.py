"""The real Chromium, and what a page must not do in it: log errors, break its policy, load from elsewhere, overflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from tests.kit.broker import find_mosquitto
from tests.kit.site import ROOT
from tests.kit.wait import until

#: Milliseconds that a page may take to show what it should; much more than it needs, for a small machine.
PATIENCE = 40_000
FLAGS = [
    "--headless",
    "--no-sandbox",  # runs as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: A breach of the Content-Security-Policy becomes a console error of its own.
_TELL_BREACH = """document.addEventListener('securitypolicyviolation',
    (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"""


#: Said by Playwright itself, of the worker that most tests do without.
_BLOCKED = "Service Worker registration blocked by Playwright"


def need_desk() -> str:
    """Return Chromium's path; skips by name what is missing for tests of the page with a whole demo."""
    chromium = shutil.which("chromium")
    missing = {
        "chromium is not installed": chromium is None,
        "mosquitto is not installed": find_mosquitto() is None,
        "ui/dist is missing (npm --prefix ui run build)": not (ROOT / "ui" / "dist" / "index.html").is_file(),
    }
    reasons = [reason for reason, is_missing in missing.items() if is_missing]
    if reasons or chromium is None:
        pytest.skip(f"the page cannot be tested in a browser: {'; '.join(reasons)}")
    return chromium


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """Lend a browser; its processes are gone afterwards."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Desk:
    """One window onto the duty desk, which remembers everything it should not have done."""

    def __init__(
        self, browser: Browser, url: str, width: int, height: int, state: Any = None, *, worker: bool = False
    ) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            storage_state=state,
            locale="zh-CN",
            service_workers="allow" if worker else "block",
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(_TELL_BREACH)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        self.context.on("request", self._request)

    def open(self, address: str = "") -> None:
        """Go to an address below the page's own."""
        self.page.goto(self.url + address)

    def hook(self, name: str, more: str = "") -> Locator:
        """Return the elements with that ``data-testid``; ``more`` narrows the selector."""
        return self.page.locator(f'[data-testid="{name}"]{more}')

    def check(self, *expected: str) -> None:
        """Fail unless the console holds no error but those that contain one of the ``expected`` words."""
        found = [error for error in self.errors if not any(word in error for word in expected)]
        assert not found, found

    def fits(self) -> None:
        """Fail when the page is wider than its window."""
        size = self.page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
        assert size[0] <= size[1], f"{size[0]} px wide in a window of {size[1]} px"

    def resize(self, width: int, height: int) -> None:
        """Make the window wider or narrower."""
        self.page.set_viewport_size({"width": width, "height": height})

    def shoot(self, folder: Path, name: str, *, whole: bool = False) -> None:
        """Keep a screenshot of the window, or of the ``whole`` page."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_BLOCKED):
            self.errors.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.errors.append(f"request to elsewhere: {request.url}")


def drawn(picture: Locator) -> tuple[int, int]:
    """Return the size of a picture in its own pixels, once the browser has decoded it."""
    expect(picture).to_be_visible()
    look = "image => [image.complete ? image.naturalWidth : 0, image.naturalHeight]"
    width, height = until(lambda: picture.evaluate(look), lambda size: size[0] > 0, PATIENCE / 1_000, "a picture drawn")
    return int(width), int(height)


def played(audio: Locator) -> tuple[float, bytes]:
    """Play a sound for a moment; return its seconds and first four bytes."""
    expect(audio).to_be_visible()
    until(lambda: audio.evaluate("sound => sound.readyState >= 1"), within=PATIENCE / 1_000, what="the sound loaded")
    audio.evaluate("sound => sound.play()")  # rejects, and so fails, when it cannot be decoded
    until(lambda: audio.evaluate("sound => sound.currentTime > 0.2"), within=PATIENCE / 1_000, what="the sound playing")
    audio.evaluate("sound => sound.pause()")
    head = "async sound => [...new Uint8Array(await (await fetch(sound.currentSrc)).arrayBuffer()).slice(0, 4)]"
    return float(audio.evaluate("sound => sound.duration")), bytes(audio.evaluate(head))
