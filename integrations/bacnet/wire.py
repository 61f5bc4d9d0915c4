"""BACnet/IP messages to and from bytes, pure. The reader raises DecodeError for whatever a device may send.

A message is a BVLC header (ASHRAE 135, Annex J.2), an NPDU header (6.2), an APDU (20.1) and tagged data (20.2); for the
last two the encoder of bacpypes3 is used. Requests say that segmented answers are not taken, so one is one datagram.
"""

from __future__ import annotations

import struct
from typing import Any

from bacpypes3.apdu import (
    APDU,
    AbortPDU,
    APCISequence,
    ComplexAckPDU,
    ErrorPDU,
    ReadPropertyACK,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    RejectPDU,
    SimpleAckPDU,
    SubscribeCOVRequest,
    UnconfirmedCOVNotificationRequest,
    UnconfirmedRequestPDU,
)
from bacpypes3.basetypes import PropertyIdentifier, PropertyReference, ReadAccessSpecification
from bacpypes3.errors import RejectException
from bacpypes3.pdu import PDU
from bacpypes3.primitivedata import ObjectIdentifier, TagClass

from hub.sdk import DecodeError
from integrations.bacnet.answers import Done, Primitive, Reading, Refusal, Reply, Target, Values

#: Longest BACnet/IP datagram: an APDU of 1,476 bytes with both headers (Annex J, 6.2.1), rounded up.
MAX_DATAGRAM = 1_536
#: Primitives of one property: BACnetARRAY of doors, list of faults. More is an attempt on our memory.
_MAX_VALUES = 256
_BVLC = struct.Struct(">BBH")
_ORIGINAL_UNICAST, _BACNET_IP = 0x0A, 0x81
_NPDU_VERSION, _EXPECTING_REPLY = 1, 0x04
#: Bits of the NPDU's control octet: network layer message, destination, source (6.2.2).
_NETWORK_MESSAGE, _ROUTED = 0x80, 0x28
_COV_NOTIFICATION = UnconfirmedCOVNotificationRequest.service_choice
#: Code of "up to 1476 octets" (20.1.2.5).
_MAX_RESPONSE = 5
#: What bacpypes3 raises for bytes that are no APDU; its DecodingError is a ValueError.
_BROKEN = (RejectException, ValueError, RuntimeError, AttributeError, TypeError, LookupError, struct.error)


def read_property(invoke_id: int, target: Target, prop: int) -> bytes:
    """Encode a ReadProperty request (15.5)."""
    asked = ReadPropertyRequest(objectIdentifier=ObjectIdentifier(target), propertyIdentifier=PropertyIdentifier(prop))
    return _datagram(invoke_id, asked)


def read_multiple(invoke_id: int, target: Target, props: tuple[int, ...]) -> bytes:
    """Encode a ReadPropertyMultiple request (15.7) for one object."""
    references = [PropertyReference(propertyIdentifier=PropertyIdentifier(prop)) for prop in props]
    wanted = ReadAccessSpecification(objectIdentifier=ObjectIdentifier(target), listOfPropertyReferences=references)
    return _datagram(invoke_id, ReadPropertyMultipleRequest(listOfReadAccessSpecs=[wanted]))


def subscribe(invoke_id: int, target: Target, seconds: int) -> bytes:
    """Encode a SubscribeCOV request (13.14): notices without a receipt, for so many seconds."""
    wanted = SubscribeCOVRequest(
        subscriberProcessIdentifier=1,
        monitoredObjectIdentifier=ObjectIdentifier(target),
        issueConfirmedNotifications=False,
        lifetime=seconds,
    )
    return _datagram(invoke_id, wanted)


def noticed(datagram: bytes) -> Target | None:
    """Return the object of which an UnconfirmedCOVNotification (13.7) says that it changed; None for anything else.

    The values in it are not used: anybody could have sent them, and the object is read instead.
    """
    try:
        apdu = APDU.decode(PDU(_apdu(datagram)))
        if not isinstance(apdu, UnconfirmedRequestPDU) or apdu.apduService != _COV_NOTIFICATION:
            return None
        return _target(APCISequence.decode(apdu).monitoredObjectIdentifier)
    except (DecodeError, *_BROKEN):
        return None


def _datagram(invoke_id: int, request: Any) -> bytes:
    request.apduInvokeID = invoke_id
    generic = request.encode()
    generic.apduSeg = generic.apduMor = generic.apduSA = False
    generic.apduMaxSegs, generic.apduMaxResp = 0, _MAX_RESPONSE
    body = bytes((_NPDU_VERSION, _EXPECTING_REPLY)) + bytes(generic.encode().pduData)
    return _BVLC.pack(_BACNET_IP, _ORIGINAL_UNICAST, _BVLC.size + len(body)) + body


def decode(datagram: bytes) -> Reply:
    """Read an answer. Raises DecodeError for anything else, requests and messages for other networks among it."""
    data = PDU(_apdu(datagram))
    try:
        apdu = APDU.decode(data)
        return Reply(apdu.apduInvokeID, _content(apdu))
    except _BROKEN as error:
        raise DecodeError(f"not a BACnet message: {type(error).__name__}") from None


def _apdu(datagram: bytes) -> bytes:
    if not _BVLC.size + 2 < len(datagram) <= MAX_DATAGRAM:
        raise DecodeError(f"{len(datagram)} bytes are no BACnet/IP message")
    kind, function, length = _BVLC.unpack_from(datagram)
    version, control = datagram[4:6]
    if (kind, function, length, version) != (_BACNET_IP, _ORIGINAL_UNICAST, len(datagram), _NPDU_VERSION):
        raise DecodeError("not a BACnet/IP message to one receiver")
    if control & (_NETWORK_MESSAGE | _ROUTED):
        raise DecodeError("a message of or for another BACnet network")
    return datagram[6:]


def _content(apdu: Any) -> Reading | Refusal | Done:
    if isinstance(apdu, SimpleAckPDU) and apdu.apduService == SubscribeCOVRequest.service_choice:
        return Done()
    if isinstance(apdu, RejectPDU):
        return Refusal("reject", 0, int(apdu.apduAbortRejectReason))
    if isinstance(apdu, AbortPDU):
        return Refusal("abort", 0, int(apdu.apduAbortRejectReason))
    if not isinstance(apdu, (ComplexAckPDU, ErrorPDU)) or (isinstance(apdu, ComplexAckPDU) and apdu.apduSeg):
        raise DecodeError(f"{type(apdu).__name__} is no answer that was asked for")
    message = APCISequence.decode(apdu)
    if isinstance(message, ReadPropertyACK):
        return _one(message)
    if isinstance(message, ReadPropertyMultipleACK):
        return _many(message)
    if isinstance(message, ErrorPDU):
        return _error(message)
    raise DecodeError("an answer of a service that was not asked")


def _error(error: Any) -> Refusal:
    return Refusal("error", int(error.errorClass), int(error.errorCode))


def _one(message: Any) -> Reading:
    values = _values(message.propertyValue.tagList)
    return Reading(_target(message.objectIdentifier), {_whole(message): values})


def _many(message: Any) -> Reading:
    results = list(message.listOfReadAccessResults)
    if len(results) != 1:
        raise DecodeError(f"{len(results)} objects where one was asked for")
    properties: dict[int, Values | Refusal] = {}
    for element in results[0].listOfResults:
        result = element.readResult
        denied = result.propertyAccessError
        prop = _whole(element)
        properties[prop] = _values(result.propertyValue.tagList) if denied is None else _error(denied)
    return Reading(_target(results[0].objectIdentifier), properties)


def _whole(named: Any) -> int:
    """Return the number of a property of which no single element is meant, since none is ever asked for."""
    if named.propertyArrayIndex is not None:
        raise DecodeError("an element of an array that was not asked for")
    return int(named.propertyIdentifier)


def _target(identifier: Any) -> Target:
    kind, instance = identifier
    return Target(int(kind), int(instance))


def _values(tags: Any) -> Values:
    """Read what stands between the opening and the closing tag of a value; the library does not miss the latter."""
    first, *inner, last = tags
    if (first.tag_class, last.tag_class) != (TagClass.opening, TagClass.closing):
        raise DecodeError("a value without an end")
    if len(inner) > _MAX_VALUES:
        raise DecodeError(f"{len(inner)} values in one property")
    return tuple(_primitive(tag) for tag in inner)


#: Application tag numbers (20.2.1.4).
_BOOLEAN, _UNSIGNED, _INTEGER, _REAL, _DOUBLE, _ENUMERATED, _OBJECT = 1, 2, 3, 4, 5, 9, 12


def _primitive(tag: Any) -> Primitive:
    data = bytes(tag.tag_data)
    if tag.tag_class != TagClass.application:
        return None
    if tag.tag_number == _BOOLEAN:
        return bool(tag.tag_lvt)
    if tag.tag_number in {_UNSIGNED, _ENUMERATED, _OBJECT} and 1 <= len(data) <= 4:
        return int.from_bytes(data, "big")
    if tag.tag_number == _INTEGER and 1 <= len(data) <= 4:
        return int.from_bytes(data, "big", signed=True)
    if (tag.tag_number, len(data)) in {(_REAL, 4), (_DOUBLE, 8)}:
        number: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
        return number
    return None
