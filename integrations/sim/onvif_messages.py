"""What a camera writes, built apart from the code under test, with the namespaces of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from xml.sax.saxutils import quoteattr

SPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "ter": "http://www.onvif.org/ver10/error",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "tns1": "http://www.onvif.org/ver10/topics",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
MOTION, LINE = "tns1:RuleEngine/CellMotionDetector/Motion", "tns1:RuleEngine/LineDetector/Crossed"
FIELD, TAMPER = "tns1:RuleEngine/FieldDetector/ObjectsInside", "tns1:RuleEngine/TamperDetector/Tamper"
INPUT = "tns1:Device/Trigger/DigitalInput"


def soap(body: str) -> bytes:
    """Put a body into an envelope."""
    return f'<?xml version="1.0"?>\n<s:Envelope {_DECLARED}><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault(code: str, *subcodes: str, said: str = "no") -> bytes:
    """Write a SOAP fault: its code, and codes below it, outermost first."""
    inner = ""
    for subcode in reversed(subcodes):
        inner = f"<s:Subcode><s:Value>{subcode}</s:Value>{inner}</s:Subcode>"
    reason = f'<s:Reason><s:Text xml:lang="en">{said}</s:Text></s:Reason>'
    return soap(f"<s:Fault><s:Code><s:Value>s:{code}</s:Value>{inner}</s:Code>{reason}</s:Fault>")


def stamp(at: datetime) -> str:
    """Write a moment as xs:dateTime in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def notification(
    topic: str,
    data: Mapping[str, str],
    source: Mapping[str, str] | None = None,
    operation: str = "Changed",
    at: datetime | None = None,
) -> str:
    """Write one message of an event; without ``operation`` the marks of a property are left out."""

    def items(named: Mapping[str, str]) -> str:
        return "".join(f"<tt:SimpleItem Name={quoteattr(n)} Value={quoteattr(v)}/>" for n, v in named.items())

    marks = f' PropertyOperation="{operation}"' if operation else ""
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f'{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{stamp(at or datetime.now(UTC))}"{marks}>'
        f"<tt:Source>{items(source or {})}</tt:Source><tt:Data>{items(data)}</tt:Data>"
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


def pulled(*notifications: str, times: str = "") -> bytes:
    """Write the answer to PullMessages."""
    return soap(f"<tev:PullMessagesResponse>{times}{''.join(notifications)}</tev:PullMessagesResponse>")
