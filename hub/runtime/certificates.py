"""An own certificate authority for one site: makes it, issues the hub's certificate and renews that before its end.

X.509 as RFC 5280 profiles it. The authority is limited by name constraints (4.2.1.10) to the hub's names and to
addresses of private networks: stolen, it cannot pose as anybody else to those who trust it.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import shutil
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.durable import make_folder, write_whole
from hub.model.errors import TlsError
from hub.runtime.tls import AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Days. Browsers take 825 at most from an authority that a person installed (Apple, HT210176).
AUTHORITY_DAYS, SERVER_DAYS = 3_650, 397
#: Days before the end from which a new certificate is issued.
RENEW_DAYS = 60
#: Hours by which a certificate begins in the past: clocks of phones are wrong.
BEFORE_HOURS = 24
#: No clock that is right shows an earlier day: this is older than the code here. One that was reset shows 1970 or 2000.
EARLIEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
#: Private and link-local networks (RFC 1918, RFC 4193, RFC 3927, RFC 4291) and this machine.
NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    ]
)
#: Names of local networks: RFC 6762, RFC 8375, RFC 6761.
ZONES = ("local", "home.arpa", "localhost")
_DNS = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z")

_Name = x509.DNSName | x509.IPAddress


class Facts(msgspec.Struct, frozen=True):
    """What a certificate says. ``sha256`` is its fingerprint, as browsers show it; times are UTC."""

    sha256: str
    begins: datetime.datetime
    ends: datetime.datetime
    hosts: tuple[str, ...]


def create(folder: Path, hosts: Sequence[str], now: datetime.datetime) -> Facts:
    """Make an authority and a certificate of the hub for ``hosts`` (names or addresses). Raises TlsError."""
    names = _names(hosts)
    _check_clock(now)
    make_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Menshen {x509.random_serial_number():x}"[:24])])
    allowed: list[x509.GeneralName] = [*names, *map(x509.DNSName, ZONES)]
    addresses = [name for name in allowed if isinstance(name, x509.IPAddress)]
    permitted: list[x509.GeneralName] = [name for name in allowed if isinstance(name, x509.DNSName)]
    permitted += [x509.IPAddress(ipaddress.ip_network(name.value)) for name in addresses]
    permitted += [x509.IPAddress(network) for network in NETWORKS]
    made = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    for link in (folder / CERTIFICATE, folder / KEY):
        link.unlink(missing_ok=True)  # a link to a given one must not be written through
    write_whole(folder / AUTHORITY_KEY, _pem(key))
    write_whole(folder / AUTHORITY, made.public_bytes(serialization.Encoding.PEM))
    return issue(folder, hosts, now)


def issue(folder: Path, hosts: Sequence[str], now: datetime.datetime) -> Facts:
    """Issue a new certificate by the authority of ``folder``. Raises TlsError."""
    names = _names(hosts)
    _check_clock(now)
    authority, signer = _certificate(folder / AUTHORITY), _key(folder / AUTHORITY_KEY)
    constraint = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    for name in names:
        if not _permits(constraint, name):
            raise TlsError(f"the authority was made without `{name.value}`; make a new one with --new-authority")
    key = ec.generate_private_key(ec.SECP256R1())
    # no host name: OpenSSL would hold one here against the constraints where no DNS name is beside it
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Menshen hub")])
    days = min(SERVER_DAYS, (authority.not_valid_after_utc - now).days)
    made = (
        _builder(subject, authority.subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    write_whole(folder / KEY, _pem(key))
    write_whole(folder / CERTIFICATE, made.public_bytes(serialization.Encoding.PEM))
    return facts(folder / CERTIFICATE)


def renew(folder: Path, now: datetime.datetime) -> bool:
    """Issue a new certificate where ours ends soon; tell whether it was done. Raises TlsError."""
    if not (folder / AUTHORITY).is_file():
        return False
    known = facts(folder / CERTIFICATE)
    if known.ends - now > datetime.timedelta(days=RENEW_DAYS):
        return False
    issue(folder, known.hosts, now)
    return True


def use(folder: Path, certificate: Path, key: Path) -> Facts:
    """Use a given certificate: link to its files, which their own tool renews. Raises TlsError."""
    found = facts(certificate)
    public = _key(key).public_key()
    if public != _certificate(certificate).public_key():
        raise TlsError("the key does not belong to the certificate")
    if key.stat().st_mode & 0o077:
        raise TlsError(f"other users can read {key}; run: chmod 600 {key}")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / CERTIFICATE).symlink_to(certificate.resolve())
    (folder / KEY).symlink_to(key.resolve())
    return found


def facts(path: Path) -> Facts:
    """Say what the first certificate of a PEM file is. Raises TlsError."""
    found = _certificate(path)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = None
    hosts = tuple(str(name.value) for name in names or () if isinstance(name, _Name))
    return Facts(
        found.fingerprint(hashes.SHA256()).hex(":"), found.not_valid_before_utc, found.not_valid_after_utc, hosts
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=BEFORE_HOURS))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _check_clock(now: datetime.datetime) -> None:
    """Refuse what would be over, or not have begun, once the clock is right. Raises TlsError."""
    if now < EARLIEST:
        raise TlsError(
            f"the clock of this machine shows {now:%Y-%m-%d}, which is long past: "
            "set it (timedatectl set-time, or NTP), then make the certificate"
        )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(hosts: Sequence[str]) -> list[_Name]:
    """Turn texts into names of a certificate, each once. Raises TlsError."""
    found: dict[_Name, None] = {}
    for host in hosts:
        try:
            found[x509.IPAddress(ipaddress.ip_address(host))] = None
            continue
        except ValueError:
            name = host.lower()
        if not _DNS.match(name) or name.replace(".", "").isdigit():
            raise TlsError(f"`{host[:80]}` is neither a host name nor an address")
        found[x509.DNSName(name)] = None
    if not found:
        raise TlsError("a certificate needs a name or an address of the hub")
    return list(found)


def _permits(constraint: x509.NameConstraints, name: _Name) -> bool:
    for allowed in constraint.permitted_subtrees or ():
        if isinstance(name, x509.DNSName):
            inside = isinstance(allowed, x509.DNSName) and f".{name.value}".endswith(f".{allowed.value}")
        else:
            one = ipaddress.ip_network(name.value)
            inside = isinstance(allowed, x509.IPAddress) and one.overlaps(ipaddress.ip_network(allowed.value))
        if inside:
            return True
    return False


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise TlsError(f"{path} is no certificate in PEM") from None


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), None)  # type: ignore[return-value]
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise TlsError(f"{path} is no key in PEM without a password") from None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
