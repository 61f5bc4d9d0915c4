"""A lift controller, run as a program: the server of bacpypes3 with Lift objects and a binary input.

``python -m integrations.bacnet.tests.far_end PORT all|one|tight`` says its port when it listens. ``one`` knows no
ReadPropertyMultiple, ``tight`` has no room for its answer. Orders are JSON lines: object, property, value.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from bacpypes3.app import Application
from bacpypes3.basetypes import BinaryPV, EngineeringUnits, LiftCarDirection, LiftCarMode, LiftFault, Segmentation
from bacpypes3.constructeddata import ArrayOf, ListOf
from bacpypes3.errors import SegmentationNotSupported, UnrecognizedService
from bacpypes3.local.cov import GenericCriteria
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.object import Object as LocalObject
from bacpypes3.object import BinaryInputObject, LiftObject
from bacpypes3.primitivedata import Enumerated

DEVICE = 4711


class Lift(LocalObject, LiftObject):  # type: ignore[misc]
    """A lift. Its doors are plain enumerations: the library knows the first three of BACnetDoorStatus only."""

    carDoorStatus: ArrayOf(Enumerated)  # type: ignore[valid-type]  # noqa: N815


class Input(LocalObject, BinaryInputObject):  # type: ignore[misc]
    """A binary input, whose changes are told to who asks for that. Those of the lifts are not."""

    _cov_criteria = GenericCriteria


class OneByOne(Application):  # type: ignore[misc]
    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        raise UnrecognizedService


class Tight(Application):  # type: ignore[misc]
    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        raise SegmentationNotSupported


def objects(port: int) -> list[Any]:
    from bacpypes3.local.networkport import NetworkPortObject

    lift = Lift(
        objectIdentifier=("lift", 3),
        objectName="lift A",
        statusFlags=[0, 0, 0, 0],
        elevatorGroup=("elevator-group", 1),
        groupID=1,
        installationID=1,
        carPosition=4,
        carMovingDirection=LiftCarDirection.up,
        carDoorStatus=[0, 1],
        carMode=LiftCarMode.normal,
        carLoad=37.5,
        carLoadUnits=EngineeringUnits.percent,
        passengerAlarm=False,
        outOfService=False,
        faultSignals=[],
    )
    plain = Lift(
        objectIdentifier=("lift", 4),
        objectName="lift B",
        statusFlags=[0, 0, 0, 0],
        elevatorGroup=("elevator-group", 1),
        groupID=1,
        installationID=2,
        carPosition=1,
        carMovingDirection=LiftCarDirection.unknown,
        carDoorStatus=[2],
        passengerAlarm=True,
        outOfService=False,
        faultSignals=[LiftFault.carStoppedOutsideLandingZone],
    )
    pit = Input(
        objectIdentifier=("binary-input", 7),
        objectName="pit",
        presentValue=BinaryPV.inactive,
        statusFlags=[0, 0, 0, 0],
        eventState="normal",
        outOfService=False,
        polarity="normal",
    )
    device = DeviceObject(
        objectIdentifier=("device", DEVICE),
        objectName="controller",
        vendorIdentifier=999,
        segmentationSupported=Segmentation.noSegmentation,
    )
    network = NetworkPortObject(f"127.0.0.1/32:{port}", objectIdentifier=("network-port", 1), objectName="port")
    return [device, network, lift, plain, pit]


_KINDS = {"carDoorStatus": ArrayOf(Enumerated), "faultSignals": ListOf(LiftFault)}


async def main(port: int, kind: str) -> None:
    application = {"all": Application, "one": OneByOne, "tight": Tight}[kind].from_object_list(objects(port))
    (link,) = application.link_layers.values()
    await link.server._local_transport_ready.wait()  # noqa: SLF001 - the library says it nowhere else
    print(json.dumps(port), flush=True)  # noqa: T201
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        found = application.get_object_name(order["object"])
        value = order["value"]
        setattr(found, order["property"], _KINDS.get(order["property"], lambda same: same)(value))
        print(json.dumps(None), flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
