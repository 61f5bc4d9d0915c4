"""What the inside of a backup may be: every trick of an archive is refused before anything is written."""

from __future__ import annotations

import io
import tarfile

import pytest

from hub.ops.backup.archive import BLOCK, BadBackup, Manifest, Reader, Writer, check_name

EMPTY = Manifest("demo", "2026-11-21T00:00:00+00:00", "0.1.0", 7, ())


def archive(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = Writer(out)
    for name, content in files:
        writer.add(name, len(content), io.BytesIO(content))
    writer.end(EMPTY)
    return out.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    reader = Reader(io.BytesIO(data))
    return {entry.name: b"".join(reader.chunks()) for entry in reader.entries()}


def crafted(**fields: object) -> bytes:
    entry = tarfile.TarInfo("data/a")
    for name, value in fields.items():
        setattr(entry, name, value)
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + bytes(2 * BLOCK)


def test_what_is_written_is_read() -> None:
    files = (
        ("data/journal.sqlite3", b"x" * 1500),
        ("site/rules/消防通道.yaml", b""),
        ("data/" + "d" * 90 + "/" + "f" * 95, b"z"),
    )
    found = read(archive(*files))
    assert {name: found[name] for name, _ in files} == dict(files)


def test_a_skipped_file_does_not_shift_the_next() -> None:
    reader = Reader(io.BytesIO(archive(("data/a", b"1" * 700), ("data/b", b"2"))))
    assert [entry.name for entry in reader.entries()] == ["data/a", "data/b", "manifest.json"]


def test_other_tools_open_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(("site/hub.yaml", b"site: {}\n")))) as tar:
        file = tar.extractfile("site/hub.yaml")
        assert file is not None
        assert file.read() == b"site: {}\n"


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd", "/etc/passwd", "data/../../x", "data/./x", "data//x", "data", "etc/passwd", "data/",
        "data\\x/y", "data/C:x", "data/a\nb", "data/a\x1b[31m", "data/\u202egpj.exe", "data/\u200b",
        "data/" + "x" * 201, "DATA/x", "",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(BadBackup):
        check_name(name)
    with pytest.raises(BadBackup):
        read(crafted(name=name))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
             tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE, b"Z"],
)  # fmt: skip
def test_only_plain_files(kind: bytes) -> None:
    entry = tarfile.TarInfo("data/a")
    entry.type = kind
    with pytest.raises(BadBackup, match="plain files"):
        read(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(2 * BLOCK))


def test_a_file_with_a_target_of_a_link() -> None:
    entry = tarfile.TarInfo("data/a")
    entry.linkname = "/etc/passwd"
    with pytest.raises(BadBackup, match="link"):
        read(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(2 * BLOCK))


def test_the_same_name_twice() -> None:
    with pytest.raises(BadBackup, match="twice"):
        read(archive(("data/a", b"1"), ("data/a", b"2")))


def test_a_size_in_binary_is_refused() -> None:
    entry = tarfile.TarInfo("data/a")
    entry.size = 8**11
    with pytest.raises(BadBackup):
        read(entry.tobuf(tarfile.GNU_FORMAT))


def test_a_file_that_promises_more_than_it_has() -> None:
    entry = tarfile.TarInfo("data/a")
    entry.size = 10 << 30 >> 1
    with pytest.raises(BadBackup, match="middle"):
        read(entry.tobuf(tarfile.USTAR_FORMAT) + b"little")


@pytest.mark.parametrize("cut", [1, 511, 512, 600, 1024, 1500])
def test_an_archive_that_ends_early(cut: int) -> None:
    with pytest.raises(BadBackup):
        read(archive(("data/a", b"x" * 700))[:cut])


def test_every_flipped_byte_of_a_header_is_noticed() -> None:
    whole = archive(("data/abc", b"content"))
    for position in range(BLOCK):
        bad = bytearray(whole)
        bad[position] ^= 0x11
        with pytest.raises(BadBackup):
            read(bytes(bad))


def test_a_file_that_shrinks_while_it_is_kept() -> None:
    with pytest.raises(BadBackup, match="shorter"):
        Writer(io.BytesIO()).add("data/a", 10, io.BytesIO(b"123"))
