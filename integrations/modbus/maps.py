"""Register maps as data files: one for each kind of device, joined to a unit by the site."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from hub.sdk import Text, Unsupported
from integrations.modbus.config import MapUse, Point, RegisterMap

#: Folder of the site's own maps, which come before those shipped here.
SITE = "modbus_maps"
_SHIPPED = Path(__file__).with_name("maps")
#: Bytes; the shipped ones have about 3,000.
_LARGEST = 256 * 1024


def load(name: str, site: Path) -> RegisterMap:
    """Read the map ``name``. Raises Unsupported when there is none or it does not check."""
    files = [folder / f"{name}.yaml" for folder in (site / SITE, _SHIPPED)]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise Unsupported(f"no register map `{name}`: neither {SITE}/{name}.yaml nor one of the integration")
    try:
        if file.stat().st_size > _LARGEST:
            raise Unsupported(f"the register map `{name}` is larger than {_LARGEST} bytes")
        return msgspec.convert(yaml.safe_load(file.read_bytes()), RegisterMap)
    except (OSError, yaml.YAMLError, RecursionError, ValueError) as error:  # a msgspec.ValidationError is a ValueError
        raise Unsupported(f"the register map `{name}` does not check: {error}") from None


def points(use: MapUse, found: RegisterMap) -> tuple[Point, ...]:
    """Join the map's points to a unit. Raises Unsupported when an address lies beyond the last one."""
    try:
        return tuple(
            Point(
                **{field: getattr(register, field) for field in register.__struct_fields__}
                | {
                    "key": f"{use.key}_{register.key}",
                    "name": _joined(text(use.name), text(register.name)),
                    "address": register.address + use.base,
                    "unit_id": use.unit_id,
                }
            )
            for register in found.points
        )
    except ValueError as error:
        raise Unsupported(f"the register map `{use.map}` does not fit at base {use.base}: {error}") from None


def text(name: Text | str) -> Text:
    """Return a name in the languages it has."""
    return Text(zh=name) if isinstance(name, str) else name


def _joined(unit: Text, register: Text) -> Text:
    return Text(f"{unit.zh} {register.zh}", f"{unit.en or unit.zh} {register.en or register.zh}")
