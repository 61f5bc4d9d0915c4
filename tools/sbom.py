"""Writes docs/sbom.cdx.json (CycloneDX 1.6): everything that a hub and its page are made of, from the two locks.

``make sbom`` after a change of a lock; tests/unit/ops/test_sbom.py says when it was forgotten. The list comes from
cyclonedx-py and npm's lock; addresses of registries are left out, hashes stand in the locks.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
#: What is kept of a component.
FIELDS = ("type", "name", "group", "version", "purl", "licenses")


def main() -> None:
    """Write the file."""
    python = [_licensed(component) for component in _python()["components"]]
    once = {one["purl"]: _short(one) for one in [*python, *_page()]}
    components = [once[purl] for purl in sorted(once)]
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "menshen", "version": metadata.version("menshen")}},
        "components": components,
    }
    text = json.dumps(bom, ensure_ascii=False, indent=1)
    (ROOT / "docs" / "sbom.cdx.json").write_text(f"{text}\n", "utf-8")


def _python() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "python.json"
        tool = [ROOT / ".venv/bin/uv", "tool", "run", "--quiet", "--from", "cyclonedx-bom>=7,<8", "cyclonedx-py"]
        subprocess.run([*tool, "requirements", "requirements/extras.lock", "-o", target], cwd=ROOT, check=True)  # noqa: S603
        return json.loads(target.read_bytes())


def _page() -> list[dict[str, Any]]:
    """Read npm's lock; `npm sbom` leaves out packages that only a tool's peer asks for, Vue among them."""
    packages = json.loads((ROOT / "ui/package-lock.json").read_bytes())["packages"]
    return [_npm(path, entry) for path, entry in packages.items() if path and not entry.get("dev")]


def _npm(path: str, entry: dict[str, Any]) -> dict[str, Any]:
    name, version = entry.get("name", path.rsplit("node_modules/", 1)[1]), entry["version"]
    component = {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{quote(name, safe='/')}@{version}",
    }
    return component | ({"licenses": [{"license": {"name": entry["license"]}}]} if "license" in entry else {})


def _licensed(component: dict[str, Any]) -> dict[str, Any]:
    """Add the licence that the installed package declares."""
    try:
        found = metadata.metadata(component["name"])
    except metadata.PackageNotFoundError:  # of another platform
        return component
    classifiers = [
        line.rsplit(" :: ", 1)[1] for line in found.get_all("Classifier") or [] if line.startswith("License")
    ]
    words = found.get("License-Expression") or " / ".join(classifiers) or (found.get("License") or "").split("\n")[0]
    return component | ({"licenses": [{"license": {"name": words[:80]}}]} if words else {})


def _short(component: dict[str, Any]) -> dict[str, Any]:
    return {field: component[field] for field in FIELDS if field in component}


if __name__ == "__main__":
    main()
