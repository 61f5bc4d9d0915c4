"""The bill of materials names what the locks hold, no more and no less."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[3]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def listed() -> dict[str, dict[str, str]]:
    bom = json.loads((ROOT / "docs/sbom.cdx.json").read_text("utf-8"))
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    return {unquote(component["purl"].split("?")[0]): component for component in bom["components"]}


def test_it_names_every_pinned_package() -> None:
    pins = _PIN.findall((ROOT / "requirements/extras.lock").read_text("utf-8"))
    python = {purl for purl in listed() if purl.startswith("pkg:pypi/")}
    assert python == {f"pkg:pypi/{name.lower()}@{version}" for name, version in pins}, "run: make sbom"


def test_it_names_the_packages_of_the_page() -> None:
    packages = json.loads((ROOT / "ui/package-lock.json").read_text("utf-8"))["packages"]
    shipped = {
        f"{entry.get('name', path.rsplit('node_modules/', 1)[-1])}@{entry['version']}"
        for path, entry in packages.items()
        if path and not entry.get("dev")
    }
    page = {purl.removeprefix("pkg:npm/") for purl in listed() if purl.startswith("pkg:npm/")}
    own = {f"{name}@{version}" for name, version in packages[""]["dependencies"].items()}
    assert own <= page == shipped, "run: make sbom"


def test_licences_are_said() -> None:
    said = [purl for purl, component in listed().items() if component.get("licenses")]
    assert len(said) >= len(listed()) * 0.85  # the others are for other platforms, or declare none
