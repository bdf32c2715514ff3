"""Files come into a folder whole or not at all, and no file that is there is touched."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from windlass.scaffold.place import place
from windlass.spec.errors import WindlassError

FILES = {"a.txt": "a\n", "sub/b.txt": "b\n", "sub/deep/c.txt": "c\n"}
CALLS = ((os, "mkdir"), (os, "link"), (os, "rename"), (Path, "write_text"))
"""What makes something; clearing away is not interrupted."""


def content(folder: Path) -> dict[str, str]:
    """Each file below the folder, git's own left out."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in found.items() if not name.startswith(".git/")}


def test_a_folder_that_is_not_there_is_made_with_those_above_it(tmp_path: Path) -> None:
    assert place(FILES, tmp_path / "x" / "new") == []
    assert content(tmp_path / "x" / "new") == FILES
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["new"]
    assert (tmp_path / "x" / "new").stat().st_mode & 0o777 == (tmp_path / "x").stat().st_mode & 0o777


@pytest.mark.parametrize("git", [False, True])
def test_an_empty_folder_or_a_fresh_clone_is_filled(tmp_path: Path, git: bool) -> None:
    if git:
        (tmp_path / "new" / ".git").mkdir(parents=True)
    else:
        (tmp_path / "new").mkdir()
    assert place(FILES, tmp_path / "new") == []
    assert content(tmp_path / "new") == FILES
    assert len(list(tmp_path.iterdir())) == 1


def test_the_folder_that_one_stands_in_stays_the_folder_that_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    place(FILES, Path.cwd())
    assert content(Path()) == FILES


def test_a_folder_with_something_in_it_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(WindlassError, match=r"is not empty: it holds README\.md; give another --path, or --force"):
        place(FILES, tmp_path)
    assert content(tmp_path) == {"README.md": "mine"}


def test_beside_others_no_file_is_overwritten_and_each_that_stays_is_listed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.txt").write_text("mine")
    (tmp_path / "a.txt").symlink_to("nowhere")
    assert place(FILES, tmp_path, beside=True) == ["a.txt", "sub/b.txt"]
    assert content(tmp_path) == {"sub/b.txt": "mine", "sub/deep/c.txt": "c\n"}
    assert (tmp_path / "a.txt").readlink() == Path("nowhere")


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(("path", "why"), [("file/new", "file exists|not a directory"), ("y" * 300, "name too long")])
def test_a_folder_that_no_file_system_can_have_is_refused_with_the_remedy(
    tmp_path: Path, path: str, why: str, beside: bool
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WindlassError, match=f"cannot be made: .*({why}); give another --path"):
        place(FILES, tmp_path / path, beside=beside)
    assert content(tmp_path) == {"file": "mine"}


@pytest.mark.parametrize("beside", [False, True])
def test_a_link_never_leads_the_files_to_another_place(tmp_path: Path, beside: bool) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "new").symlink_to("other")
    with pytest.raises(WindlassError, match="is not a folder"):
        place(FILES, tmp_path / "new", beside=beside)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sub").symlink_to("../other")
    with pytest.raises(WindlassError):
        place(FILES, tmp_path / "mine", beside=beside)
    assert content(tmp_path / "other") == {}
    assert content(tmp_path / "mine") == {}


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").write_text("mine")
    with pytest.raises(WindlassError, match="sub' is not a folder of its own"):
        place(FILES, tmp_path, beside=True)
    assert content(tmp_path) == {"sub": "mine"}


class Interrupted(BaseException):
    """Ctrl-C at some call."""


@contextmanager
def interrupted(at: int, when: str) -> Iterator[list[str]]:
    """Interrupts the call with this number to the file system, before or after it was carried out."""
    calls: list[str] = []
    patch = pytest.MonkeyPatch()

    def seen(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **keywords: object) -> object:
            calls.append(name)
            mine = len(calls) - 1 == at
            if mine and when == "before":
                raise Interrupted
            try:
                return real(*arguments, **keywords)
            finally:
                if mine:
                    raise Interrupted

        return call

    for where, name in CALLS:
        patch.setattr(where, name, seen(name, getattr(where, name)))
    try:
        yield calls
    finally:
        patch.undo()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mine", [None, {}, {"README.md": "mine", "sub/b.txt": "mine"}], ids=["new", "empty", "mine"])
def test_an_interruption_anywhere_leaves_nothing_or_everything(
    tmp_path: Path, mine: dict[str, str] | None, when: str
) -> None:
    at, ended = 0, False
    before = {f"new/{name}": text for name, text in (mine or {}).items()}
    after = {f"new/{name}": text for name, text in FILES.items()} | before
    while not ended:
        room = tmp_path / str(at)
        folder = room / "new"
        (room if mine is None else folder).mkdir(parents=True)
        for name, text in (mine or {}).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        with interrupted(at, when) as calls:
            try:
                place(FILES, folder, beside=bool(mine))
                ended = True
            except Interrupted:
                ended = False
        assert [path.name for path in room.iterdir()] in ([], ["new"]), calls
        assert content(room) in (before, after), calls
        if mine is not None and content(room) == before:
            assert sorted(one.name for one in folder.iterdir()) == sorted({name.split("/")[0] for name in mine}), calls
        at += 1
    assert at == len(calls) + 1 > 8, "most calls were not seen"


def test_what_comes_meanwhile_is_kept_and_ours_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.link

    def meanwhile(source: str, target: str, **options: bool) -> None:
        if str(target).endswith("b.txt"):
            Path(target).write_text("theirs")
        real(source, target, **options)

    monkeypatch.setattr(os, "link", meanwhile)
    with pytest.raises(WindlassError, match="was changed meanwhile; run the command again"):
        place(FILES, tmp_path, beside=True)
    assert content(tmp_path) == {"sub/b.txt": "theirs"}
