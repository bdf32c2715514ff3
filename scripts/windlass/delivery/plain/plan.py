"""What a layout of files changes, decided from facts alone: which files are written, which deleted, which in the way.

What DAG files need is written first, DAG files next; then DAG files are deleted, and what they needed last: at no
moment does a DAG file lie there without what it imports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from windlass.spec.layout import OwnFiles, is_dag


@dataclass(frozen=True)
class There:
    """A file that lies there: its etag and the digest of its content, both None where nobody needed to know."""

    etag: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Write:
    """A file to write: only over exactly the content that has `etag`, or only where there is none."""

    path: str
    etag: str | None


@dataclass(frozen=True)
class LayoutPlan:
    """What is done to one owner's files, each tuple in order. `foreign` files are in the way: nothing may be done then.

    `intent` is the list before the first file is touched, `after` the one when all is done but for the etags of what
    was written.
    """

    helpers: tuple[Write, ...]
    dags: tuple[Write, ...]
    deletes: tuple[tuple[str, ...], tuple[str, ...]]
    foreign: tuple[str, ...]
    kept: int
    before: OwnFiles
    intent: OwnFiles
    after: OwnFiles

    @property
    def touches_files(self) -> bool:
        """Whether any file is written or deleted."""
        return bool(self.helpers or self.dags or any(self.deletes))

    @property
    def is_done(self) -> bool:
        """Whether files and list are as wanted."""
        return not self.touches_files and self.after == self.before


def plan_layout(
    release: str | None, wanted: Mapping[str, str], own: OwnFiles, there: Mapping[str, There]
) -> LayoutPlan:
    """The plan that leaves exactly the files `wanted` (digest by path); `there` is what lies in the owner's folder.

    Files that are neither its own nor in the way stay, whatever they are.
    """
    mine = {path for path, file in there.items() if _is_own(path, file, own)}
    writes = [
        Write(path, there[path].etag if path in there else None)
        for path, digest in sorted(wanted.items())
        if path not in there or there[path].digest != digest or there[path].etag is None
    ]
    goes = sorted(mine - wanted.keys())
    touched = {write.path for write in writes} | set(goes)
    etags = {path: file.etag for path, file in there.items() if path in mine - touched and file.etag is not None}
    stays = {path: digest for path, digest in wanted.items() if path not in touched}
    over = {path: own.files[path] for path in touched if path in own.files}
    waiting = {path: digests for path, digests in own.adding.items() if path not in wanted and path not in mine}
    intent = OwnFiles(
        under_way=True,
        files=dict(sorted({**over, **stays}.items())),
        etags=dict(sorted(etags.items())),
        adding=waiting | {path: _candidates(path, wanted, own) for path in sorted(touched) if path not in own.files},
    )
    return LayoutPlan(
        helpers=tuple(write for write in writes if not is_dag(write.path)),
        dags=tuple(write for write in writes if is_dag(write.path)),
        deletes=(tuple(filter(is_dag, goes)), tuple(path for path in goes if not is_dag(path))),
        foreign=in_the_way(wanted, there.keys() - mine),
        kept=len(stays),
        before=own,
        intent=intent,
        after=OwnFiles(
            release=release,
            files=dict(sorted(wanted.items())),
            etags=dict(sorted(etags.items())),
            adding=waiting if own.under_way else {},  # another process may be about to write them
        ),
    )


def finished(plan: LayoutPlan, etags: Mapping[str, str]) -> OwnFiles:
    """The list when all is done; `etags` are those of what was written."""
    return plan.after.model_copy(update={"etags": dict(sorted({**plan.after.etags, **etags}.items()))})


def in_the_way(wanted: Iterable[str], foreign: Iterable[str]) -> tuple[str, ...]:
    """The foreign files that lie where a wanted file, or a folder above one, has to be; and those inside of one."""
    files = set(wanted)
    folders = {parent for path in files for parent in _parents(path)}
    return tuple(
        sorted(path for path in foreign if path in files or path in folders or not files.isdisjoint(_parents(path)))
    )


def _candidates(path: str, wanted: Mapping[str, str], own: OwnFiles) -> list[str]:
    """What a file at a new path may hold and be ours: what this layout writes there, or one that was left half."""
    return sorted({*own.adding.get(path, []), *([wanted[path]] if path in wanted else [])})


def _is_own(path: str, file: There, own: OwnFiles) -> bool:
    return path in own.files or (file.digest is not None and file.digest in own.adding.get(path, []))


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
