"""The SMTP client of the standard library on a socket of ours, with an end to what a server may say. Blocking."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Sequence
from typing import BinaryIO

from hub.sdk import BadCredentials, DeviceError, Unreachable, Unsupported
from integrations.email.config import Config

#: Most bytes of answers before, and again after, STARTTLS; a whole conversation has about 2,000.
MAX_HEARD = 64 * 1024
#: "Service not available, closing transmission channel" (RFC 5321, 3.8).
_HUNG_UP = 421
#: Authentication required, refused, or too weak (RFC 4954, 6).
_LOGIN_CODES = {530, 534, 535, 538}


def deliver(
    config: Config, context: ssl.SSLContext | None, sock: socket.socket, to: Sequence[str], mail: bytes
) -> dict[str, int]:
    """Hand in ``mail`` and close ``sock``; return the recipients that were refused, with the code of each.

    Raises DeviceError when it did not come to that.
    """
    try:
        return _converse(config, context, sock, to, mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = {address: code for address, (code, _) in error.recipients.items()}
        return {address: codes.get(address, _HUNG_UP) for address in to}  # after a 421 the others were not even asked
    except smtplib.SMTPServerDisconnected:
        raise Unreachable("the mail server hung up") from None
    except smtplib.SMTPNotSupportedError:
        raise Unsupported("the mail server offers no STARTTLS or no log-in") from None
    except smtplib.SMTPResponseException as error:
        raise refusal(error.smtp_code) from None
    except smtplib.SMTPException:
        raise Unsupported("the mail server offers no log-in that the hub knows") from None
    except ssl.SSLCertVerificationError as error:
        raise Unsupported(f"the mail server's certificate is not trusted ({error.verify_message})") from None
    except OSError as error:
        raise Unreachable(f"no connection to the mail server ({type(error).__name__})") from None
    except ValueError:
        raise Unsupported("the server does not speak SMTP") from None
    finally:
        sock.close()


def refusal(code: int) -> DeviceError:
    """Return the error that a reply code stands for (RFC 5321, 4.2.1; -1 is no code). Its text is not repeated."""
    if code in _LOGIN_CODES:
        return BadCredentials(f"the mail server refused user or password (code {code})")
    if 400 <= code < 500:
        return Unreachable(f"the mail server takes no mail for now (code {code})")
    return Unsupported(
        f"the mail server refused the mail (code {code})" if code > 0 else "the server does not speak SMTP"
    )


def _converse(
    config: Config, context: ssl.SSLContext | None, sock: socket.socket, to: Sequence[str], mail: bytes
) -> dict[str, int]:
    if context is not None and config.security == "tls":
        sock = context.wrap_socket(sock, server_hostname=config.host)
    with contextlib.closing(sock), contextlib.closing(_Client(config.host, sock)) as client:
        if context is not None and config.security == "starttls":
            client.starttls(context=context)
        if config.user:
            client.login(config.user, config.password)
        refused = client.sendmail(config.sender, list(to), mail)
        with contextlib.suppress(OSError):
            client.putcmd("QUIT")  # the mail is taken: whoever waits for an answer now could only lose it again
    return {address: code for address, (code, _) in refused.items()}


class _Client(smtplib.SMTP):
    """Uses a socket that is already connected, and stops listening after ``MAX_HEARD`` bytes."""

    def __init__(self, host: str, sock: socket.socket) -> None:
        self._ours = sock
        address = sock.getsockname()[0]
        super().__init__(host, 1, local_hostname=f"[IPv6:{address}]" if ":" in address else f"[{address}]")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._ours  # what SMTP_SSL of the library overrides, too

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Limited(self.sock.makefile("rb"))
        return super().getreply()


class _Limited:
    """The reading side of a connection, up to ``MAX_HEARD`` bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_HEARD

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            self.close()
            raise ValueError("the server never stops talking")  # the library takes an OSError for a lost line
        return line

    def close(self) -> None:
        self._file.close()
