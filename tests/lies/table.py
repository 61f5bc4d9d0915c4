"""Which test covers which lie of which integration's far end, or why there is nothing to cover.

A cell is ``path::test`` (a test over real parts that would fail), ``SHARED`` (tests/lies/test_http.py tells it), or
``Never(reason)``. tests/lies/test_table.py holds the table complete and its names true.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.lies.liar import Lie


class Shared(Enum):
    """Told to everyone who speaks HTTP."""

    HTTP = "tests/lies/test_http.py::test_a_lie_ends_in_a_sentence"


@dataclass(frozen=True, slots=True)
class Never:
    """This far end cannot tell that lie."""

    reason: str


SHARED = Shared.HTTP
Cell = str | Shared | Never
Row = dict[Lie, Cell]

NO_CERTIFICATE = Never("the protocol has no TLS")
NO_REDIRECT = Never("the protocol has no redirect")
NOBODY = Never("there is no far end: it writes to this machine")
ONE_WAY = Never("RTP to a group is one way: nothing is heard back")
DATAGRAMS = Never("a datagram comes whole or not at all")
BROKER_AUTH = "tests/abuse/test_broker_accounts.py::test_nobody_gets_in_without_the_whole_password"
BROKER_DRIP = "tests/abuse/test_mqtt_packets.py::test_a_hundred_unfinished_packets_take_no_memory"
BROKER_HUGE = "tests/abuse/test_mqtt_packets.py::test_before_the_login"
BROKER_TLS = "tests/abuse/test_tls.py::test_a_device_talks_by_tls_and_without_is_refused"
HOOK_DRIP = "tests/abuse/test_slow_clients.py::test_a_request_that_does_not_come_is_cut"
HOOK_TLS = Never("the far end calls the hub; whose certificate that is stands in tests/abuse/test_tls.py")
HOOK_REDIRECT = Never("the far end calls the hub, which follows nobody")


def _http() -> Row:
    return dict.fromkeys(Lie, SHARED)


def _mqtt(fuzz: str) -> Row:
    """A decoder sees whole messages; the rest is between the broker and the device."""
    return {
        Lie.TRUNCATED: fuzz, Lie.CORRUPT: fuzz, Lie.HUGE: BROKER_HUGE, Lie.DRIP: BROKER_DRIP,
        Lie.WRONG_AUTH: BROKER_AUTH, Lie.REDIRECT: NO_REDIRECT, Lie.CERTIFICATE: BROKER_TLS,
    }  # fmt: skip


def _hook(truncated: str, corrupt: str, huge: str, auth: str) -> Row:
    return {
        Lie.TRUNCATED: truncated, Lie.CORRUPT: corrupt, Lie.HUGE: huge, Lie.DRIP: HOOK_DRIP,
        Lie.WRONG_AUTH: auth, Lie.REDIRECT: HOOK_REDIRECT, Lie.CERTIFICATE: HOOK_TLS,
    }  # fmt: skip


_BACNET = "integrations/bacnet/tests/test_connect.py::"
_BTHOME = "integrations/bthome/tests/"
_MAIL = "integrations/email/tests/test_mailer.py::"
_FIELD = "integrations/field_magnetometer/tests/test_node.py::"
_LOCAL = "integrations/local_speaker/tests/test_speaker.py::"
_MODBUS = "integrations/modbus/tests/"
_NODE = "integrations/firmware_node/tests/test_node.py::"
_BRIDGE = "firmware_bridge/tests/"
_ONENET = "integrations/onenet/tests/test_push.py::"
_OSDP = "integrations/osdp/tests/"
_SERIAL = "integrations/serial_lines/tests/"

TABLE: dict[str, Row] = {
    "axis_speaker": _http(),
    "bacnet": {
        Lie.TRUNCATED: _BACNET + "test_lies_when_opened",
        Lie.CORRUPT: _BACNET + "test_noise_before_the_answer_is_passed_over",
        Lie.HUGE: _BACNET + "test_lies_when_opened",
        Lie.DRIP: DATAGRAMS,
        Lie.WRONG_AUTH: Never("BACnet/IP asks nobody who he is; the page says so"),
        Lie.REDIRECT: NO_REDIRECT,
        Lie.CERTIFICATE: NO_CERTIFICATE,
    },
    "bthome": {
        Lie.TRUNCATED: _BTHOME + "test_listener.py::test_plain_cut_or_from_another_address_is_refused",
        Lie.CORRUPT: _BTHOME + "test_listener.py::test_a_changed_bit_is_noticed",
        Lie.HUGE: _BTHOME + "test_decode.py::test_only_decode_errors_escape",
        Lie.DRIP: Never("an advertisement comes whole or not at all"),
        Lie.WRONG_AUTH: _BTHOME + "test_listener.py::test_encrypted_without_a_key_is_refused",
        Lie.REDIRECT: NO_REDIRECT,
        Lie.CERTIFICATE: NO_CERTIFICATE,
    },
    "dahua": _http(),
    "dingtalk": _http(),
    "email": {
        Lie.TRUNCATED: _MAIL + "test_lies",
        Lie.CORRUPT: _MAIL + "test_lies",
        Lie.HUGE: _MAIL + "test_lies",
        Lie.DRIP: _MAIL + "test_a_server_that_drips_does_not_hold_the_hub",
        Lie.WRONG_AUTH: _MAIL + "test_lies_while_logging_in",
        Lie.REDIRECT: Never("a 251 or 551 of SMTP is a refusal here: another server is never called"),
        Lie.CERTIFICATE: _MAIL + "test_a_certificate_that_is_not_trusted",
    },
    "feishu": _http(),
    "field_magnetometer": _hook(
        _FIELD + "test_broken_bodies",
        _FIELD + "test_what_is_not_as_documented_is_refused_whole",
        _FIELD + "test_broken_bodies",
        _FIELD + "test_strangers_say_nothing",
    ),
    "file_speaker": dict.fromkeys(Lie, NOBODY),
    "firmware_node": {
        Lie.TRUNCATED: _BRIDGE + "test_link.py::test_nothing_hostile_is_believed_or_raises",
        Lie.CORRUPT: _BRIDGE + "test_frame.py::test_one_changed_byte_never_gives_another_frame",
        Lie.HUGE: _BRIDGE + "test_frame.py::test_limits_of_length",
        Lie.DRIP: _BRIDGE + "test_frame.py::test_frames_between_the_console_in_pieces_of_any_size",
        Lie.WRONG_AUTH: _NODE + "test_forged_replayed_and_another_s_frames_are_refused_counted_and_shown",
        Lie.REDIRECT: NO_REDIRECT,
        Lie.CERTIFICATE: Never("frames are authentic by a key of each node, not by a certificate"),
    },
    "generic_camera": _http(),
    "hikvision": _http(),
    "http_speaker": _http(),
    "local_speaker": {
        **dict.fromkeys(Lie, NOBODY),
        Lie.TRUNCATED: _LOCAL + "test_a_program_that_fails_is_quoted",
        Lie.DRIP: _LOCAL + "test_a_program_that_hangs_is_killed",
    },
    "lorawan": _mqtt("integrations/lorawan/tests/test_fuzz.py::test_only_decode_errors_escape"),
    "modbus": {
        Lie.TRUNCATED: _MODBUS + "test_line.py::test_the_answer_to_this_question_counts",
        Lie.CORRUPT: _MODBUS + "test_line.py::test_a_wrong_crc_is_no_answer",
        Lie.HUGE: _MODBUS + "test_connect.py::test_something_else_listens_there",
        Lie.DRIP: _MODBUS + "test_line.py::test_an_answer_that_drips_is_none",
        Lie.WRONG_AUTH: Never("Modbus asks nobody who he is; the page says so"),
        Lie.REDIRECT: NO_REDIRECT,
        Lie.CERTIFICATE: NO_CERTIFICATE,
    },
    "mqtt_discovery": _mqtt("integrations/mqtt_discovery/tests/test_fuzz.py::test_only_decode_errors_escape"),
    "onenet": _hook(
        _ONENET + "test_broken_bodies",
        _ONENET + "test_an_odd_message_does_not_cost_the_others",
        _ONENET + "test_ten_megabytes",
        _ONENET + "test_wrong_signatures_say_nothing",
    ),
    "onvif": _http(),
    "osdp": {
        Lie.TRUNCATED: _OSDP + "test_osdp.py::test_frames",
        Lie.CORRUPT: _OSDP + "test_line.py::test_noise_on_the_line_does_not_end_it",
        Lie.HUGE: _OSDP + "test_osdp.py::test_a_buffer_stays_small",
        Lie.DRIP: _OSDP + "test_line.py::test_silence_another_address_and_noise_are_nobody",
        Lie.WRONG_AUTH: _OSDP + "test_line.py::test_the_wrong_key",
        Lie.REDIRECT: NO_REDIRECT,
        Lie.CERTIFICATE: Never("the secure channel has a key, no certificate"),
    },
    "rtp_speaker": dict.fromkeys(Lie, ONE_WAY),
    "serial_lines": {
        Lie.TRUNCATED: _SERIAL + "test_session.py::test_half_a_first_line_is_not_believed",
        Lie.CORRUPT: _SERIAL + "test_session.py::test_noise_is_dropped_and_counted",
        Lie.HUGE: _SERIAL + "test_rules.py::test_the_rest_of_a_line_is_dropped",
        Lie.DRIP: _SERIAL + "test_rules.py::test_lines_are_found_however_they_are_cut",
        Lie.WRONG_AUTH: Never("a board on a cable has no password"),
        Lie.REDIRECT: NO_REDIRECT,
        Lie.CERTIFICATE: NO_CERTIFICATE,
    },
    "sms_gateway": _http(),
    "wecom": _http(),
    "zigbee2mqtt": _mqtt("integrations/zigbee2mqtt/tests/test_fuzz.py::test_only_decode_errors_escape"),
}
