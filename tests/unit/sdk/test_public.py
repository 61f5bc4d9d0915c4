"""The public API is a list in a file: a change of what authors may rely on is seen in a review, and made on purpose."""

from __future__ import annotations

import ast
import inspect
from enum import Enum
from pathlib import Path
from typing import Any

import hub.sdk

LIST = Path(__file__).with_name("public.txt")
SHIPPED = Path(__file__).parents[3] / "integrations"


def described(name: str) -> str:
    """Return a name with what it takes: parameters of a function or class, members of a module, enum or protocol."""
    found = getattr(hub.sdk, name)
    if inspect.ismodule(found):
        own = (key for key, one in vars(found).items() if getattr(one, "__module__", "") == found.__name__)
        return f"{name}: {', '.join(sorted(key for key in own if not key.startswith('_')))}"
    if isinstance(found, type) and issubclass(found, Enum):
        return f"{name}: {', '.join(found.__members__)}"
    if getattr(found, "_is_protocol", False):
        methods = (key for key, one in vars(found).items() if inspect.isfunction(one) and not key.startswith("_"))
        return f"{name}: {', '.join(f'{key}{_parameters(getattr(found, key))}' for key in methods)}"
    try:
        return name + _parameters(found)
    except (TypeError, ValueError):
        return name


def _parameters(found: Any) -> str:
    return f"({', '.join(key for key in inspect.signature(found).parameters if key != 'self')})"


def test_it_is_the_list() -> None:
    now = [described(name) for name in hub.sdk.__all__]
    assert now == LIST.read_text("utf-8").splitlines(), "say it in CHANGELOG.md, and write it into public.txt"


def test_what_ships_takes_nothing_else() -> None:
    for path in SHIPPED.glob("*/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub") and path.parent.name != "sim":
                assert node.module == "hub.sdk", path
                assert {alias.name for alias in node.names} <= set(hub.sdk.__all__), path
