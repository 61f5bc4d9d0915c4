"""The package for the police: a ZIP that is signed, and that proves itself without a hub.

Entries are stored, not compressed, with fixed dates, so that there is one way only to write a package: the verifier
writes it again and compares, and a changed byte anywhere is found.
"""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from hub.journal.chain import ZERO, joined, leaf
from hub.journal.dossier import Dossier, LinkLine, Part
from hub.journal.signing import fingerprint, sign, signature_holds
from hub.journal.verify import Break, Report, check_stamp, plain_head
from hub.model.entry import Outcome
from hub.model.errors import JournalError
from hub.model.proof import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Largest package and most files in it that are looked at.
MOST_BYTES, MOST_FILES = 4 << 30, 10_000
_MANIFEST, _SIGNATURE, _KEY = "manifest.json", "manifest.sig", "public.pem"
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: Folder of pictures and clips, which are only ever read in pieces: a clip may be larger than the memory.
_MEDIA = "evidence/"
_PIECE = 1 << 20


class _Source(NamedTuple):
    """Where the content of one file of a package comes from."""

    size: int
    open: Callable[[], IO[bytes]]


class _Content(NamedTuple):
    """What a package holds: all but pictures and clips whole, and the SHA-256 of everything."""

    files: dict[str, bytes]
    digests: dict[str, str]


class Chain(msgspec.Struct, frozen=True):
    """``chain/links.json``."""

    before: str
    links: list[LinkLine]


class Manifest(msgspec.Struct, frozen=True):
    """``manifest.json``: every other file with its SHA-256."""

    incident: int
    head: str
    files: dict[str, str]
    version: int = 1


def write_package(dossier: Dossier, data: Path, extra: Mapping[str, bytes], target: BinaryIO) -> None:
    """Write the signed ZIP into a file that can be sought in; ``extra`` has what people read: name → content.

    A picture that is not what the journal says is left out, and the package says so: it must not prove a forgery.
    Pictures go from file to file, so that a case with many of them takes no more memory. Raises JournalError, OSError.
    """
    files = dict(extra)
    lost, pictures = [], {}
    for path, sha256 in dossier.pictures.items():
        if _digest(data / path) == sha256:
            pictures[path] = data / path
        else:
            lost.append(path)
    files["incident.json"] = _pretty({"incident": dossier.incident, "activation": dossier.activation, "lost": lost})
    files["diligence.json"] = _pretty(dossier.diligence)
    files["clock.json"] = _pretty(dossier.clock)
    for part in dossier.parts:
        files[f"chain/{part.table}.json"] = _pretty(part)
    files["chain/links.json"] = _pretty(Chain(dossier.before, dossier.links))
    for link, token in dossier.stamps.items():
        files[f"stamps/{link}.tsr"] = token
    manifest_of = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest_of |= {path: dossier.pictures[path] for path in pictures}
    files[_KEY] = public = sign(data, b"").public
    manifest_of[_KEY] = hashlib.sha256(public).hexdigest()
    files[_MANIFEST] = _pretty(Manifest(dossier.id, dossier.head, dict(sorted(manifest_of.items()))))
    files[_SIGNATURE] = sign(data, files[_MANIFEST]).signature
    sources = {name: _whole(content) for name, content in files.items()}
    sources |= {name: _on_disk(place) for name, place in pictures.items()}
    _zip(sources, target)


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None where it cannot be read."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _whole(content: bytes) -> _Source:
    return _Source(len(content), partial(io.BytesIO, content))


def _on_disk(place: Path) -> _Source:
    def opened() -> IO[bytes]:
        return place.open("rb")

    return _Source(place.stat().st_size, opened)


def _zip(sources: Mapping[str, _Source], target: IO[bytes]) -> None:
    """Write a ZIP in the one way that there is."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as made:
        for name, source in sorted(sources.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr, entry.file_size = 3, 0o100444 << 16, source.size
            with source.open() as content, made.open(entry, "w") as sink:
                shutil.copyfileobj(content, sink, _PIECE)


def verify_package(file: Path, head: str | None = None, key: str | None = None, root: bytes | None = None) -> Report:
    """Check a package; ``head`` and ``key`` are what somebody kept of the site. Raises JournalError: it is none."""
    report = Report()
    files, digests = _unzipped(file, report)
    try:
        manifest = msgspec.json.decode(files[_MANIFEST], type=Manifest)
        chain = msgspec.json.decode(files["chain/links.json"], type=Chain)
        parts = [
            msgspec.json.decode(files[f"chain/{table}.json"], type=Part) for table in ("readings", "events", "audit")
        ]
        lost = msgspec.json.decode(files["incident.json"])["lost"]
        _signed(files, digests, manifest, key, report)
        links = _links(chain, manifest, head, report)
        for part in parts:
            _part(part, links, report)
        _pictures(parts[1], digests, lost, report)
        for link in chain.links:
            token = files.get(f"stamps/{link.seq}.tsr")
            if token is not None:
                check_stamp(link.seq, token, bytes.fromhex(link.hash), root, report)
    except (KeyError, IndexError, ValueError, TypeError, msgspec.MsgspecError) as error:
        report.broken("file", f"it is no package, or one that was altered: {error}")
    return report


def _unzipped(file: Path, report: Report) -> _Content:
    """Read the files of a package within bounds. Raises JournalError."""
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise JournalError(f"{file.name} is larger than any package")
    try:
        with zipfile.ZipFile(file) as opened, tempfile.TemporaryFile() as again:
            entries = opened.infolist()
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            if len(entries) > MOST_FILES or not stored or sum(entry.compress_size for entry in entries) > size:
                report.broken("file", "it is no package of evidence: the hub writes no such ZIP")
                return _Content({}, {})  # unread: it may be a bomb
            digests = {}
            for entry in entries:
                with opened.open(entry) as content:
                    digests[entry.filename] = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
            small = [entry for entry in entries if not entry.filename.startswith(_MEDIA)]
            found = _Content({entry.filename: opened.read(entry) for entry in small}, digests)
            _zip({entry.filename: _Source(entry.file_size, partial(opened.open, entry)) for entry in entries}, again)
            again.seek(0)
            with file.open("rb") as given:
                if not _same(given, again):
                    report.broken(
                        "file", "the ZIP is not as the hub wrote it: something was added to it or changed in it"
                    )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        report.broken("file", f"the ZIP is damaged or was altered: {error}")
        return _Content({}, {})
    return found


def _same(one: IO[bytes], other: IO[bytes]) -> bool:
    while piece := one.read(_PIECE):
        if other.read(_PIECE) != piece:
            return False
    return not other.read(1)


def _signed(
    files: dict[str, bytes], digests: dict[str, str], manifest: Manifest, key: str | None, report: Report
) -> None:
    if not signature_holds(files[_KEY], files[_SIGNATURE], files[_MANIFEST]):
        report.broken(_MANIFEST, "the signature does not hold")
    if key is not None and plain_head(key) != fingerprint(files[_KEY]):
        report.broken(_KEY, "the package is signed with another key than the one you hold")
    for name in sorted(digests.keys() ^ (manifest.files.keys() | {_MANIFEST, _SIGNATURE})):
        report.broken(name, "the file was added or is missing")
    for name in sorted(digests.keys() & manifest.files.keys()):
        if digests[name] != manifest.files[name]:
            report.broken(name, "the file was altered")


def _links(chain: Chain, manifest: Manifest, head: str | None, report: Report) -> list[Link]:
    before, links = bytes.fromhex(chain.before), []
    for line in chain.links:
        found = joined(before, line.body.encode())
        if found.hex() != line.hash:
            report.broken("links", f"link {line.seq} was altered")
        before = found
        links.append(msgspec.json.decode(line.body, type=Link))
    if chain.links[0].seq == 1 and chain.before != ZERO.hex():
        report.broken("links", "the first link goes on from another")
    report.head, report.links, report.last_at = before.hex(), len(links), links[-1].at
    if manifest.head != report.head:
        report.broken("head", "the head of the package is not that of its links")
    if head is not None and not any(line.hash.startswith(plain_head(head)) for line in chain.links):
        report.broken("head", "the package does not contain the head you hold; it may be older than its first link")
    return links


def _part(part: Part, links: list[Link], report: Report) -> None:
    """Compute the hash of a table from its leaves, and look for it at a link on both ends."""
    packed = base64.b64decode(part.leaves, validate=True)
    leaves = [packed[start : start + 32] for start in range(0, len(packed), 32)]
    seals = {link.heads[part.table].seq: link.heads[part.table].hash for link in links}
    digest, good = bytes.fromhex(part.before), 0
    if seals.get(part.after) != part.before:
        report.broken(part.table, "its leaves go on from a hash that no link has")
    for seq, found in enumerate(leaves, part.after + 1):
        digest = joined(digest, found)
        if seq in seals and seals[seq] != digest.hex():
            report.broken(part.table, f"the leaves up to row {seq} are not those of the links")
    if part.after + len(leaves) not in seals:
        report.broken(part.table, "its leaves end where no link does")
    for row in part.rows:
        index = row[0] - part.after - 1
        if not 0 <= index < len(leaves) or leaf(tuple(row)) != leaves[index]:
            report.broken(part.table, f"row {row[0]} is not what the chain says")
        else:
            good += 1
    report.rows[part.table] = good
    report.before[part.table] = len(part.unproven)


def _pictures(events: Part, digests: dict[str, str], lost: list[str], report: Report) -> None:
    """Compare the pictures with what the chained outcomes say."""
    said = {}
    for row in (*events.unproven, *events.rows):
        if row[2] == "outcome":
            kept = msgspec.json.decode(row[4], type=Outcome).evidence
            if kept is not None:
                said[kept.path] = kept.sha256
    for path, sha256 in said.items():
        if digests.get(path) == sha256:
            report.files += 1
        elif path in digests:
            report.broken(path, "the picture is not what the chain says")
        elif path in lost:
            report.breaks.append(Break(path, "the hub itself no longer had the picture, or it was altered there"))
    for path in sorted(name for name in digests if name.startswith(_MEDIA) and name not in said):
        report.broken(path, "no outcome of the chain speaks of this picture")
