"""The archive of a release: equal content gives equal bytes, and nothing of it is used before all of it is checked."""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from windlass.spec.errors import DeliveryError
from windlass.spec.names import check_word
from windlass.spec.release import Manifest
from windlass.spec.stored import read_stored

MAX_ARCHIVE_BYTES = 64 * 1024 * 1024
"""The largest archive that is read, compressed."""
MAX_CONTENT_BYTES = 256 * 1024 * 1024
"""The most that an archive may hold, unpacked: a tar bomb ends here."""
MAX_MEMBERS = 20_000
MAX_PATH_LENGTH = 240
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Archive:
    """The bytes of a release and the digest that is its name."""

    content: bytes
    digest: str


@dataclass(frozen=True)
class Release:
    """What an archive holds: `files` by their path below the project's folder, `manifest.json` included."""

    digest: str
    manifest: Manifest
    files: Mapping[str, bytes]


def digest_of(content: bytes) -> str:
    """The SHA-256 of `content` in hex."""
    return hashlib.sha256(content).hexdigest()


def build_archive(project: str, files: Mapping[str, bytes]) -> Archive:
    """A tar.gz of `files` below the folder `project`; equal files give equal bytes (given the same zlib)."""
    tar_bytes = io.BytesIO()
    with tarfile.open(fileobj=tar_bytes, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            member = tarfile.TarInfo(f"{project}/{path}")
            member.size, member.mode, member.mtime = len(files[path]), 0o644, 0
            tar.addfile(member, io.BytesIO(files[path]))
    content = _compress(tar_bytes.getvalue())
    archive = Archive(content, digest_of(content))
    read_archive(project, archive.digest, content)  # what is built must also be accepted
    return archive


def _compress(content: bytes) -> bytes:
    """gzip without a time and without the operating system's number, which differ between machines and Pythons."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0, filename="") as stream:
        stream.write(content)
    result = bytearray(packed.getvalue())
    result[9] = 255  # operating system: unknown
    return bytes(result)


def read_archive(project: str, digest: str, content: bytes) -> Release:
    """The release in `content`; DeliveryError, naming release and member, when anything about it is not right."""
    name = f"release {digest[:12]} of {project}"
    if len(content) > MAX_ARCHIVE_BYTES:
        raise DeliveryError(f"{name}: the archive has {len(content):,} bytes; at most {MAX_ARCHIVE_BYTES:,} are read")
    actual = digest_of(content)
    if actual != digest:
        raise DeliveryError(
            f"{name}: the archive was altered: its SHA-256 begins with {actual[:12]}, not with {digest[:12]}; "
            "nothing of it is used"
        )
    unpacked = _uncompress(name, content)
    files = _own_members(name, project, unpacked)
    if files is None:
        files = _members(name, project, unpacked)
    _require_no_file_above_another(name, files)
    return Release(digest, _manifest(name, project, files), files)


def _uncompress(name: str, content: bytes) -> bytes:
    """The tar inside, with a limit that holds whatever the archive's headers claim."""
    unpack = zlib.decompressobj(wbits=31)
    try:
        result = unpack.decompress(content, MAX_CONTENT_BYTES + 1)
    except zlib.error as error:
        raise DeliveryError(f"{name}: the archive is not a gzip file ({error})") from error
    if len(result) > MAX_CONTENT_BYTES:
        raise DeliveryError(f"{name}: the archive unpacks to more than {MAX_CONTENT_BYTES:,} bytes")
    if not unpack.eof or unpack.unused_data:
        raise DeliveryError(f"{name}: the archive ends too early or has something after its end")
    return result


def _own_members(name: str, project: str, content: bytes) -> dict[str, bytes] | None:
    """The members, when all of it is, byte by byte, what `build_archive` writes; None: look at it more closely.

    A header is compared with the one that its name and size would have been given, which is ten times as fast as
    reading it, and leaves no room for anything that tar can express besides plain files.
    """
    files: dict[str, bytes] = {}
    position = 0
    while (header := content[position : position + _BLOCK]) != _END:
        path, _, _ = header[:100].partition(b"\0")
        size = -1 if header[124:135].strip(b"01234567") else int(header[124:135] or b"0", 8)
        start = position + _BLOCK
        if not path.isascii() or size < 0 or header != _header(path, size) or len(files) >= MAX_MEMBERS:
            return None
        position = start + -(-size // _BLOCK) * _BLOCK
        inside = _check_path(name, project, path.decode(), is_file=True)
        if inside in files or position > len(content) or content[start + size : position].strip(b"\0"):
            return None
        files[inside] = content[start : start + size]
    return None if content[position:].strip(b"\0") or len(content) - position < 2 * _BLOCK else files


def _header(path: bytes, size: int) -> bytes:
    """The header that `build_archive` writes for a file with a short name in ASCII."""
    length = b"%011o" % size
    return b"".join(
        (
            path.ljust(100, b"\0"),
            _PLAIN[100:124],
            length,
            _PLAIN[135:148],
            b"%06o\0" % (_PLAIN_SUM + sum(path) + sum(length)),
            _PLAIN[155:],
        )
    )


def _plain_header() -> bytes:
    member = tarfile.TarInfo("")
    member.mode = 0o644
    return member.tobuf(tarfile.PAX_FORMAT)


_BLOCK, _END = tarfile.BLOCKSIZE, bytes(tarfile.BLOCKSIZE)
_PLAIN = _plain_header()
_PLAIN_SUM = sum(_PLAIN[:124]) + sum(_PLAIN[135:148]) + 8 * ord(" ") + sum(_PLAIN[156:])
"""The sum of all bytes that are the same in every header; the field of the sum itself counts as blanks."""


def _members(name: str, project: str, content: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for number, member in enumerate(tar, start=1):
                if number > MAX_MEMBERS:
                    raise DeliveryError(f"{name}: the archive holds more than {MAX_MEMBERS:,} members")
                path = _check_member(name, project, member)
                if member.isreg():
                    if path in files:
                        raise DeliveryError(f"{name}: member {member.name!r} is there twice")
                    stream = tar.extractfile(member)
                    assert stream is not None
                    files[path] = stream.read()
    except tarfile.TarError as error:
        raise DeliveryError(f"{name}: the archive is not a tar file ({error})") from error
    return files


def _require_no_file_above_another(name: str, files: Mapping[str, bytes]) -> None:
    folders: set[str] = set()
    for path in files:
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    if both := sorted(folders & files.keys()):
        raise DeliveryError(f"{name}: member {both[0]!r} is a file and a folder at once")


def _check_member(name: str, project: str, member: tarfile.TarInfo) -> str:
    """The member's path below the project's folder; only regular files and folders inside it pass."""
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) and member.sparse is None
    if not plain:  # a sparse file counts as regular for tarfile, and unpacks a terabyte out of one block
        raise DeliveryError(f"{name}: member {member.name!r} is neither a file nor a folder")
    return _check_path(name, project, member.name, is_file=member.isreg())


def _check_path(name: str, project: str, member: str, *, is_file: bool) -> str:
    parts = member.split("/")
    if member.startswith("/") or not {"", ".", ".."}.isdisjoint(parts):
        raise DeliveryError(f"{name}: member {member!r} leads out of the archive's folder")
    if "\\" in member or not member.isprintable() or len(member) > MAX_PATH_LENGTH:
        raise DeliveryError(f"{name}: member {member!r} has a name that is not accepted")
    if parts[0] != project or (len(parts) == 1 and is_file):
        raise DeliveryError(f"{name}: member {member!r} lies outside of the folder {project!r}")
    return member[len(project) + 1 :]


def _manifest(name: str, project: str, files: Mapping[str, bytes]) -> Manifest:
    if MANIFEST not in files:
        raise DeliveryError(f"{name}: the archive has no {MANIFEST}")
    manifest = read_stored(Manifest, files[MANIFEST], f"{name}: {MANIFEST} cannot be read")
    if manifest.project != project:
        raise DeliveryError(f"{name}: {MANIFEST} is of project {manifest.project!r}, not {project!r}")
    for dag_id in manifest.pipelines:
        if f"dags/{check_word(dag_id)}.py" not in files:
            raise DeliveryError(f"{name}: {MANIFEST} names pipeline {dag_id!r}, and dags/{dag_id}.py is not there")
    return manifest
