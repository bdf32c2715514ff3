"""The guides for each role: every command on them is run, and shows what the page says that it shows."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.session import Session, Windlass
from tests.fakes.airflow_server import AirflowServer
from tests.fakes.http_stub import http_stub
from tests.fakes.memory_store import MemoryStore
from tests.gate.conftest import USUAL, Scene, scene, world
from tests.gate.server import Review
from windlass.cli.main import main
from windlass.spec.release import Provenance, provenance_key

__all__ = ["scene", "world"]

ROOT = Path(__file__).parents[2]
ROLES = ROOT / "docs/roles"
WHO = {f"GIT_{who}_{what}": "ann@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
WHEN = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-11-23T10:00:00Z")
Compare = Callable[[Path, str], None]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Session]:
    """An empty folder beside the platform's checkout, buckets in memory, and an Airflow for each environment."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI", "GIT", "WINDLASS"))]:
        monkeypatch.delenv(name)
    store, home = MemoryStore(), tmp_path / "home"
    shutil.copytree(ROOT / "environments", home / "windlass/environments")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = {**WHO, **WHEN, "USER": "ann", "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    with http_stub(AirflowServer(store).answer) as airflow:

        def windlass(*arguments: str) -> tuple[int, str, str]:
            target = next((name for name in ("prod", "stage", "dev") if name in arguments), "dev")
            for name, value in (("URL", f"{airflow.url}/{target}"), ("USERNAME", "windlass"), ("PASSWORD", "secret")):
                monkeypatch.setenv(f"WINDLASS_AIRFLOW_{name}", value)
            return _called(monkeypatch, capsys, store, *arguments)

        monkeypatch.setenv("WINDLASS_ENVIRONMENTS", str(home / "windlass/environments"))
        yield Session(home, windlass, {**os.environ}, monkeypatch.chdir)


def _called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: MemoryStore, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["windlass", *arguments])
    with pytest.raises(SystemExit) as ended:
        main(lambda name: store)
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("role", ["data-scientist", "data-engineer", "developer"])
def test_every_command_of_the_guide_shows_what_the_page_says(
    role: str, session: Session, compare_golden: Compare
) -> None:
    page = ROLES / f"{role}.md"
    compare_golden(page, session.shown(page.read_text()))


def test_the_quick_start_on_the_first_page_works_where_no_environments_are_known(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WINDLASS_ENVIRONMENTS")
    _, found, rest = (ROOT / "README.md").read_text().partition("Begin with one of your own")
    commands = rest.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert found and len(commands) == 4
    shown = session.shown("```console\n" + "".join(f"$ {command}\n" for command in commands) + "```")
    assert "3 files, no problems" in shown
    assert "1 case: 1 passed" in shown


@pytest.mark.stack
def test_every_command_of_the_managers_guide_shows_what_the_page_says(
    scene: Scene, capsys: pytest.CaptureFixture[str], compare_golden: Compare
) -> None:
    scene.policy(USUAL.replace("roles: {data-engineer: 1}", "roles: {manager: 1}"))
    review = _opened(scene)

    def windlass(*arguments: str) -> tuple[int, str, str]:
        return _called(scene.monkeypatch, capsys, scene.world.store, *arguments)

    def act(words: str) -> None:
        person, verb, _ = words.split()
        if verb == "approves":
            scene.gitlab.approve(review, person)
        else:
            assert verb == "merges"
            _merged(scene, review)

    run: Windlass = windlass
    page = ROLES / "manager.md"
    session = Session(scene.checkout, run, {**os.environ}, scene.monkeypatch.chdir, act)
    compare_golden(page, session.shown(page.read_text()))


def _opened(scene: Scene) -> Review:
    """A merge request of ann, after a first release that is live."""
    assert scene.live
    scene.world.promote(scene.release("zero"), scene.live, "prod")
    scene.git("checkout", "-q", "-b", "change-1")
    (scene.checkout / "pipelines").mkdir()
    (scene.checkout / "pipelines/read_digits.yml").write_text("change\n")
    review = Review(1, "ann", "", scene.commit("change"), state="opened", versions=["2026-11-22T10:00:00.000Z"])
    scene.push("change-1:refs/merge-requests/1/head")
    scene.gitlab.reviews.append(review)
    scene.in_job("ann", "change-1")
    return review


def _merged(scene: Scene, review: Review) -> None:
    """It is merged, and has come to dev with a tag for prod."""
    scene.git("checkout", "-q", "main")
    scene.git("merge", "-q", "--no-ff", "-m", "Merge !1", "change-1")
    review.commit, review.state = scene.head, "merged"
    scene.push()
    release = scene.release()
    key = provenance_key("dev", "digits", release.digest, scene.head)
    record = json.loads(scene.world.store.objects[key])
    record["merge_request"] = {"iid": review.iid, "approved_by": ["mia"]}  # as a job with a token would have found it
    scene.world.store.objects[key] = Provenance.model_validate(record).to_json()
    scene.tag("v1.0.0", by="dev")


@pytest.mark.parametrize("page", sorted(ROLES.glob("*.md")), ids=lambda page: page.stem)
def test_a_guide_has_ten_tasks(page: Path) -> None:
    tasks = [line for line in page.read_text().splitlines() if line.startswith("## ")]
    assert len(tasks) == 10


def test_the_scientists_guide_says_nothing_of_airflow() -> None:
    assert "airflow" not in (ROLES / "data-scientist.md").read_text().lower()
