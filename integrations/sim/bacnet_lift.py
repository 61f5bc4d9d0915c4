"""A lift controller by BACnet/IP: the server of bacpypes3 with Lift objects and a binary input.

``PUT /scene {"lift6": true}`` presses the alarm button of lift A.
"""

from __future__ import annotations

import argparse
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

from integrations.sim.control import scene_routes
from integrations.sim.process import Life, add_address, parser, run
from integrations.sim.web import serving

DEVICE = 4711
#: Lift A with nothing to tell, and with a person who presses the button: stopped between floors, door closed.
GROUND = {"passengerAlarm": False, "carDoorStatus": [1], "carPosition": 1, "carLoad": 0.0, "faultSignals": []}
TRAPPED = {"passengerAlarm": True, "carDoorStatus": [0], "carPosition": 4, "carLoad": 12.0,
           "faultSignals": [LiftFault.carStoppedOutsideLandingZone]}  # fmt: skip


class Lift(LocalObject, LiftObject):  # type: ignore[misc]
    """A lift. Its doors are plain enumerations: the library knows the first three of BACnetDoorStatus only."""

    carDoorStatus: ArrayOf(Enumerated)  # type: ignore[valid-type]  # noqa: N815


class Input(LocalObject, BinaryInputObject):  # type: ignore[misc]
    """A binary input, whose changes are told to who asks for that. Those of the lifts are not."""

    _cov_criteria = GenericCriteria


class OneByOne(Application):  # type: ignore[misc]
    """Knows no ReadPropertyMultiple."""

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        """Refuse it."""
        raise UnrecognizedService


class Tight(Application):  # type: ignore[misc]
    """Has no room for its answer."""

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        """Refuse it."""
        raise SegmentationNotSupported


def objects(port: int) -> list[Any]:
    """Return the controller's objects: lift A (3), lift B (4), the input of the pit (7)."""
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


async def controller(port: int, kind: str = "all") -> Any:
    """Return the application, which answers at UDP ``port`` of the loopback."""
    application = {"all": Application, "one": OneByOne, "tight": Tight}[kind].from_object_list(objects(port))
    (link,) = application.link_layers.values()
    await link.server._local_transport_ready.wait()  # noqa: SLF001 - the library says it nowhere else
    return application


def put(application: Any, thing: str, prop: str, value: Any) -> None:
    """Set a property of an object by its name."""
    setattr(application.get_object_name(thing), prop, _KINDS.get(prop, lambda same: same)(value))


class Car:
    """Lift A: it stands open at the ground floor until its alarm button is pressed, then between two floors."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.press(False)

    def press(self, alarm: bool) -> None:
        """Press the alarm button, or have help come."""
        self.alarm = alarm
        for prop, value in (TRAPPED if alarm else GROUND).items():
            put(self._application, "lift A", prop, value)


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the controller until cancelled."""
    car = Car(await controller(arguments.bacnet.port))
    routes = scene_routes("lift6", car.press, lambda: {"lift6": car.alarm})
    async with serving(routes, arguments.control) as port:
        life.ready(control=port, bacnet=arguments.bacnet.port)
        await life.over.wait()


def main() -> int:
    """Read the arguments and run."""
    options = parser("bacnet_lift", __doc__)
    add_address(options, "--bacnet", "where properties are read by UDP, on the loopback", "127.0.0.1:47808")
    add_address(options, "--control", "where PUT /scene is taken")
    return run("bacnet_lift", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
