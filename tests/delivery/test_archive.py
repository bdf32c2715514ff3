"""Archives: the same for the same content, and refused by name when anything in them could do harm."""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.releases import make_release, release_files
from windlass.delivery.release import archive
from windlass.delivery.release.archive import build_archive, read_archive
from windlass.spec.errors import DeliveryError

GOOD = make_release("digits", {"read": "one"})


def packed(*members: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar.gz of any members, as an attacker would build it: with the manifest of a good release first."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in release_files("digits", {"read": "one"}).items():
            info = tarfile.TarInfo(f"digits/{path}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for member in members:
            info, content = member if isinstance(member, tuple) else (member, b"")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue())


def read(content: bytes) -> archive.Release:
    return read_archive("digits", hashlib.sha256(content).hexdigest(), content)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def sparse(name: str) -> tarfile.TarInfo:
    """A file of a terabyte that takes no room in the archive: for tarfile a regular file."""
    info = member(name)
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(10**12)}
    return info


def test_equal_content_gives_equal_bytes_whatever_its_order() -> None:
    files = release_files("digits", {"read": "one", "write": "two"})
    assert build_archive("digits", files) == build_archive("digits", dict(reversed(files.items())))


def test_an_archive_holds_no_time_no_owner_and_no_name() -> None:
    assert GOOD.content[4:8] == b"\0\0\0\0"
    assert GOOD.content[3] == 0
    with tarfile.open(fileobj=io.BytesIO(GOOD.content)) as tar:
        for info in tar:
            assert (info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode) == (0, 0, 0, "", "", 0o644)
            assert info.name.startswith("digits/")


def test_what_was_built_is_read_back() -> None:
    files = release_files("digits", {"read": "one"})
    release = read_archive("digits", GOOD.digest, GOOD.content)
    assert release.files == files
    assert list(release.manifest.pipelines) == ["read"]


@pytest.mark.parametrize(
    "bad",
    [
        member("digits/../../etc/passwd"),
        member("/etc/passwd"),
        member("digits//x"),
        member("digits/./x"),
        member("other/x"),
        member("digits"),
        member("digits/a\\b"),
        member("digits/a\nb"),
        member("digits/" + "x" * 300),
        member("digits/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("digits/link", tarfile.LNKTYPE, "digits/manifest.json"),
        member("digits/device", tarfile.CHRTYPE),
        member("digits/pipe", tarfile.FIFOTYPE),
        member("digits/sparse", tarfile.GNUTYPE_SPARSE),
        sparse("digits/sparse"),
        member("digits/contiguous", tarfile.CONTTYPE),
        member("digits/manifest.json"),
        member("digits/manifest.json/x"),
    ],
    ids=lambda info: f"{info.name[:30]!r}-{info.type!r}",
)
def test_a_member_that_could_do_harm_is_refused_by_name(bad: tarfile.TarInfo) -> None:
    content = packed(bad)
    with pytest.raises(DeliveryError, match=r"release [0-9a-f]{12} of digits: .*(member|tar file)"):
        read(content)


def test_every_flipped_bit_and_every_truncation_is_refused() -> None:
    for position in range(0, len(GOOD.content), 7):
        flipped = bytearray(GOOD.content)
        flipped[position] ^= 1
        with pytest.raises(DeliveryError, match="was altered"):
            read_archive("digits", GOOD.digest, bytes(flipped))
        with pytest.raises(DeliveryError, match="was altered"):
            read_archive("digits", GOOD.digest, GOOD.content[:position])


def test_a_tar_bomb_is_stopped_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"\0" * (archive.MAX_CONTENT_BYTES + 1024), compresslevel=1)
    with pytest.raises(DeliveryError, match="unpacks to more than"):
        read(bomb)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 4)
    with pytest.raises(DeliveryError, match="more than 4 members"):
        read(GOOD.content)
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 100)
    with pytest.raises(DeliveryError, match="at most 100 are read"):
        read(GOOD.content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda files: files.pop("manifest.json"), "has no manifest.json"),
        (lambda files: files.update({"manifest.json": b"{}"}), "manifest.json cannot be read"),
        (lambda files: files.pop("dags/read.py"), "dags/read.py is not there"),
        (
            lambda files: files.update({"manifest.json": release_files("letters", {"read": "one"})["manifest.json"]}),
            "is of project 'letters', not 'digits'",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(spoil: Callable[[dict[str, bytes]], object], message: str) -> None:
    files = release_files("digits", {"read": "one"})
    spoil(files)
    with pytest.raises(DeliveryError, match=message):
        build_archive("digits", files)


@given(st.binary(max_size=2000))
def test_whatever_the_bytes_an_archive_is_read_or_refused(content: bytes) -> None:
    for candidate in (content, gzip.compress(content), GOOD.content + content):
        if candidate == GOOD.content:
            continue
        with pytest.raises(DeliveryError):
            read(candidate)


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=20))
def test_a_tar_that_was_overwritten_anywhere_is_read_or_refused(position: int, noise: bytes) -> None:
    plain = bytearray(zlib.decompress(GOOD.content, wbits=31))
    at = position % len(plain)
    plain[at : at + len(noise)] = noise
    with suppress(DeliveryError):
        read(gzip.compress(bytes(plain)))


@given(st.integers(min_value=0), st.binary(max_size=20), st.sampled_from(["own", "tarfile's", "long"]))
def test_the_quick_reading_finds_what_tarfile_finds_or_leaves_it_to_tarfile(
    position: int, noise: bytes, kind: str
) -> None:
    files = release_files("digits", {"read": "one"}) | ({f"files/{'x' * 120}": b"y"} if kind == "long" else {})
    content = packed() if kind == "tarfile's" else build_archive("digits", files).content
    plain = bytearray(zlib.decompress(content, wbits=31))
    at = position % len(plain)
    plain[at : at + len(noise)] = noise
    try:
        quick = archive._own_members("release", "digits", bytes(plain))
    except DeliveryError:
        return
    assert quick is None or quick == archive._members("release", "digits", bytes(plain))


def test_what_windlass_builds_is_read_quickly_and_nothing_else_is() -> None:
    plain = zlib.decompress(GOOD.content, wbits=31)
    assert archive._own_members("release", "digits", plain) == release_files("digits", {"read": "one"})
    size_of_first, end = slice(124, 135), plain.rstrip(b"\0")
    for spoiled in (
        plain[:124] + b"99999999999" + plain[size_of_first.stop :],  # digits, and not octal ones
        plain[:124] + b"77777777777" + plain[size_of_first.stop :],  # larger than all of it
        plain[:156] + tarfile.SYMTYPE + plain[157:],
        plain[:100] + b"0004755" + plain[107:],
        plain[: len(end)],
        plain + b"more",
        b"",
    ):
        assert archive._own_members("release", "digits", spoiled) is None
