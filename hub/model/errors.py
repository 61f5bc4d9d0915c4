"""Every error the hub raises on purpose, under one root.

::

    HubError
    ├── ConfigError            the site's files do not check; carries every finding
    ├── DecodeError            a device's message is not what its wire format says
    ├── DeviceError            a device did not do what it was asked
    │   ├── Unreachable        try later (no route, refused, timed out)
    │   ├── BadCredentials     a person must enter credentials
    │   ├── Unsupported        never works as configured (missing extra, unknown format)
    │   └── Limited            done often enough; not done again now
    ├── ModelError             a detector's model cannot be used (hub.vision.detect)
    ├── NotTurned              a part of an automation has no counterpart (hub.config.home_assistant)
    ├── JournalError           the store refused a transaction, or cannot be read
    ├── BrokerError            the MQTT broker could not be started or reached
    ├── TlsError               a certificate cannot be made or used
    ├── Overtaken              somebody edited the rule meanwhile (hub.config.rule_files)
    ├── NothingRecorded        there is no history to try a rule on (hub.web.trial)
    ├── Refusal                an HTTP request is refused (hub.web.errors)
    ├── AlreadyRunning         another hub uses the data folder (hub.journal.lock)
    ├── BadBackup              a file is no whole backup (hub.ops.backup)
    ├── CoreDied               the loop that decides has ended (hub.app)
    ├── NotFound               no such device in the inbox (hub.runtime.inbox)
    ├── CalibrationError       clicked floor lines do not describe a facade (hub.vision.falling)
    ├── CaptureError           recorded traffic cannot be read (hub.kit)
    ├── RecordError            nothing can be recorded (hub.kit)
    ├── SkeletonError          an integration cannot be begun so (hub.kit)
    ├── WorkerError            a plugin's process ended or spoke nonsense (hub.runtime.isolation)
    ├── StampError             a time stamp does not hold (hub.journal.stamp)
    └── SpeechError            a text could not be turned into sound
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.model.document import Finding


class Failure(StrEnum):
    """Why a command came to nothing, for the page to say in its language."""

    DEVICE = "device"
    UNREACHABLE = "unreachable"
    CREDENTIALS = "credentials"
    UNSUPPORTED = "unsupported"
    LATE = "late"
    """Too late to be right."""
    OVER = "over"
    """The activation was over before it could be done."""
    LIMIT = "limit"
    """Done as often as its rule allows."""
    FAULT = "fault"
    """A fault of the hub itself."""


class HubError(Exception):
    """Root of all errors raised on purpose."""


class ConfigError(HubError):
    """The site's files do not check. ``findings`` holds at least one entry."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class DecodeError(HubError):
    """A message does not follow its wire format. ``reason`` is safe to log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeviceError(HubError):
    """A device did not do what it was asked. ``reason`` is safe to show; ``retry`` says whether to try again."""

    retry = True
    failure = Failure.DEVICE

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreachable(DeviceError):
    """The device did not answer; a later attempt may succeed."""

    failure = Failure.UNREACHABLE


class BadCredentials(DeviceError):
    """The device refused our credentials; a person must act."""

    retry = False
    failure = Failure.CREDENTIALS


class Unsupported(DeviceError):
    """The request can never work as configured."""

    retry = False
    failure = Failure.UNSUPPORTED


class Limited(DeviceError):
    """It was done as often as its rule allows; to do it later would be too late."""

    retry = False
    failure = Failure.LIMIT


class Trouble(StrEnum):
    """Why the journal cannot be written, for the banner."""

    FULL = "full"
    """No room on the disk."""
    DISK = "disk"
    """The disk reports a fault."""
    DAMAGED = "damaged"
    """The file is not what was written."""
    REFUSED = "refused"
    """Anything else: locked for too long, a value that SQLite cannot take."""


class JournalError(HubError):
    """The store refused a transaction, of which nothing was kept, or a question."""

    def __init__(self, reason: str, trouble: Trouble = Trouble.REFUSED) -> None:
        super().__init__(reason)
        self.trouble = trouble


class BrokerError(HubError):
    """The MQTT broker could not be started or reached."""


class TlsError(HubError):
    """A certificate cannot be made or used; the sentence says what to do."""


class SpeechError(HubError):
    """A text could not be turned into sound."""


class ModelError(HubError):
    """A detector's model cannot be used: no such file, another checksum, an answer of another layout."""
