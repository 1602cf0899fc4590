"""Zip archives that two readers could read in two ways are refused; honest ones are read in place."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weight_widgets.errors import DamagedFileError, UnsafeFileError, UnsupportedFileError
from weight_widgets.reading.files import Span, stored_file
from weight_widgets.reading.zipped import Archive, open_archive

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def zipped(*members: tuple[str, bytes], method: int = STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in members:
                archive.writestr(name, data)
    return out.getvalue()


def archive_of(data: bytes, folder: Path) -> Archive:
    path = folder / "file.keras"
    path.write_bytes(data)
    return open_archive(stored_file(path))


def patched(data: bytes, offset: int, layout: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(layout, changed, offset, *values)
    return bytes(changed)


ONE = zipped(("config.json", b"0123456789"))
DIRECTORY = ONE.index(b"PK\x01\x02")
END = ONE.index(b"PK\x05\x06")


@settings(deadline=None, max_examples=40)
@given(
    contents=st.dictionaries(st.text("abc/._", min_size=1, max_size=9).filter(lambda n: n[-1] != "/"), st.binary()),
    method=st.sampled_from([STORED, DEFLATED]),
)
def test_what_zipfile_wrote(contents: dict[str, bytes], method: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = archive_of(zipped(*contents.items(), method=method), tmp_path_factory.mktemp("zip"))
    assert {name: archive.read(name, 1 << 20) for name in archive.names} == contents
    if method == STORED:
        whole = archive.source.path.read_bytes()
        spans = {name: archive.place(name)[1] for name in archive.names}
        assert {name: whole[start : start + length] for name, (start, length) in spans.items()} == contents


def test_an_archive_inside_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "outer"
    path.write_bytes(b"before" + ONE + b"after")
    archive = open_archive(stored_file(path), Span(6, len(ONE)))
    assert archive.read("config.json", 100) == b"0123456789"
    start, length = archive.place("config.json")[1]
    assert path.read_bytes()[start : start + length] == b"0123456789"


def test_sizes_in_the_64_bit_fields(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("config.json", "w", force_zip64=True) as member:
        member.write(b"0123456789")
    assert archive_of(out.getvalue(), tmp_path).read("config.json", 100) == b"0123456789"


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (zipped(("config.json", b"1"), ("config.json", b"2")), "2 times"),
            (patched(ONE, DIRECTORY + 8, "<H", 1), "encrypted"),
            (patched(ONE, DIRECTORY + 24, "<I", 11), "two sizes"),
            (patched(ONE, 22, "<I", 9), "two sizes"),
            (patched(ONE, 8, "<H", 8), "described in two ways"),
            (ONE.replace(b"config.json", b"konfig.json", 1), "described in two ways"),
            (patched(patched(ONE, DIRECTORY + 20, "<II", 900, 900), 18, "<II", 900, 900), "beyond"),
            (patched(ONE, END + 10, "<H", 60_000), "60000 members"),
            (patched(ONE, END + 12, "<I", 1 << 30), "members"),
        ],
        ids=["twice", "encrypted", "size", "local size", "method", "name", "end", "count", "directory"],
    )
    def test_it_is_unsafe(self, data: bytes, said: str, tmp_path: Path) -> None:
        with pytest.raises(UnsafeFileError, match=said):
            archive_of(data, tmp_path)

    def test_members_that_share_bytes(self, tmp_path: Path) -> None:
        hidden = zipped(("b", b"y" * 40))
        data = zipped(("a", hidden[: hidden.index(b"PK\x01\x02")]), ("b", b"y" * 40))
        second = data.rindex(b"PK\x01\x02")
        # The directory says that b lies in the middle of a, where its header and data are indeed.
        with pytest.raises(UnsafeFileError, match="shares its bytes"):
            archive_of(patched(data, second + 42, "<I", 31), tmp_path)

    @pytest.mark.parametrize(("size", "bound"), [(2 << 20, 1 << 20), (300 << 20, 64 << 20)])
    def test_a_bomb(self, size: int, bound: int, tmp_path: Path) -> None:
        archive = archive_of(zipped(("config.json", bytes(size)), method=DEFLATED), tmp_path)
        with pytest.raises(UnsafeFileError, match=f"larger than {bound >> 20} MiB"):
            archive.read("config.json", bound)

    def test_a_bomb_that_lies_about_its_size(self, tmp_path: Path) -> None:
        data = zipped(("config.json", bytes(5 << 20)), method=DEFLATED)
        directory = data.index(b"PK\x01\x02")
        small = patched(patched(data, directory + 24, "<I", 100), 22, "<I", 100)
        with pytest.raises(UnsafeFileError, match="has not the 100 bytes"):
            archive_of(small, tmp_path).read("config.json", 1 << 20)

    def test_compressed_where_it_must_be_plain(self, tmp_path: Path) -> None:
        archive = archive_of(zipped(("weights", b"0" * 100), method=DEFLATED), tmp_path)
        with pytest.raises(UnsupportedFileError, match="weights is compressed"):
            archive.place("weights")

    def test_another_compression(self, tmp_path: Path) -> None:
        archive = archive_of(zipped(("config.json", b"0" * 100), method=zipfile.ZIP_BZIP2), tmp_path)
        with pytest.raises(UnsupportedFileError, match="does not use"):
            archive.read("config.json", 100)


class TestDamaged:
    def test_a_wrong_checksum(self, tmp_path: Path) -> None:
        with pytest.raises(DamagedFileError, match="wrong checksum"):
            archive_of(ONE.replace(b"0123456789", b"0123456780"), tmp_path).read("config.json", 100)

    def test_damaged_compression(self, tmp_path: Path) -> None:
        data = zipped(("config.json", b"0123456789" * 50), method=DEFLATED)
        start = 30 + len("config.json")
        with pytest.raises(DamagedFileError, match="cannot be inflated"):
            archive_of(data[:start] + b"\xff" * 8 + data[start + 8 :], tmp_path).read("config.json", 1000)

    @pytest.mark.parametrize("length", range(4, len(ONE), 5))
    def test_cut_off(self, length: int, tmp_path: Path) -> None:
        with pytest.raises(DamagedFileError, match="damaged zip archive"):
            archive_of(ONE[:length], tmp_path)
