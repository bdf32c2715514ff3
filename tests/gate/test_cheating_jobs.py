"""Nobody gets past the gate on the stand-in, with the tokens that jobs really have: each is refused with its reason.

Prod never takes anything here, so the gate asks each time for the last merge request alone.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest

from tests.fakes.standin import DEVELOPER
from tests.gate.story import PLATFORM, PROJECT, Job, Story, told_story

pytestmark = pytest.mark.stack

PIPELINE = """\
dag: {name: copy_rows, description: Copies rows. %d}
tasks:
  extract:
    rows: {operator_type: s3_to_file, key: incoming/rows.csv, outputs: {rows: rows.csv}}
  load:
    keep: {operator_type: deliver, to: rows.csv, inputs: {data: extract.rows.rows}}
"""
TOKENS = ["the job token alone", "a token that reads all"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The company, for all tests here: none of them leaves anything in prod."""
    folder = tmp_path_factory.mktemp("company")
    with pytest.MonkeyPatch.context() as monkeypatch, told_story(folder, monkeypatch) as found:
        found.begin()
        yield found


@pytest.fixture
def story(company: Story) -> Iterator[Story]:
    yield company
    assert company.kept() == {}, "prod has something"


_NUMBERS = itertools.count(1)


def number() -> int:
    return next(_NUMBERS)


def change(story: Story) -> Any:
    """A merge request of ann that changes the pipeline."""
    count = number()
    return story.change(f"change-{count}", f"Change {count}", **{"pipelines/copy_rows.yml": PIPELINE % count})


def delivered(story: Story, ref: str = "main", by: str = "mia") -> str:
    """The release of the ref is live in dev and stage; its commit."""
    with story.job(by, ref) as job:
        for command in (["release"], ["promote", "--to", "dev"], ["promote", "--to", "stage"]):
            story.must(*command)
    return job.commit


def tagged(story: Story, by: str = "dev", ref: str = "main") -> str:
    name = f"v1.0.{number()}"
    story.tag(name, by, ref)
    return name


def refused(story: Story, tag: str, *, by: str = "dev", knows: str = TOKENS[0], code: int = 2, **more: str) -> str:
    """What `promote` says in the tag's pipeline, which changes nothing."""
    if knows == TOKENS[1]:
        more["WINDLASS_GITLAB_TOKEN"] = story.company.token("root")
    ended, out, err = story.promote(tag, by, **more)
    assert ended == code, out + err
    return err


@pytest.mark.parametrize("knows", TOKENS)
def test_an_approval_by_the_author(story: Story, knows: str) -> None:
    request = change(story)
    story.approve(request, "ann")
    story.merge(request)
    delivered(story)
    said = refused(story, tagged(story), knows=knows)
    assert f"!{request.iid} by ann needs 1 approval after its last push and has 0: nobody (ann is the author)" in said


@pytest.mark.parametrize("knows", TOKENS)
def test_an_approval_before_the_last_push(story: Story, knows: str) -> None:
    request = change(story)
    story.approve(request, "bob")
    story.push(request.source_branch, "more", more=str(number()))
    story.merge(request)
    delivered(story)
    assert "has 0: nobody (bob approved before the last push)" in refused(story, tagged(story), knows=knows)


def test_an_approval_before_a_push_that_took_commits_away(story: Story) -> None:
    """GitLab notes nothing then; the versions of the merge request, which a job token may not read, tell of it."""
    request = change(story)
    story.push(request.source_branch, "more", more=str(number()))
    story.approve(request, "bob")
    story.checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    story.checkout.push(PROJECT, request.source_branch)
    story.merge(request)
    delivered(story)
    assert "bob approved before the last push" in refused(story, tagged(story), knows=TOKENS[1])


def test_an_approval_that_was_taken_back(story: Story) -> None:
    request = change(story)
    story.approve(request, "bob")
    story.withdraw(request, "bob")
    story.merge(request)
    delivered(story)
    assert "bob took the approval back" in refused(story, tagged(story))


@pytest.mark.parametrize("knows", TOKENS)
def test_notes_that_imitate_gitlabs(story: Story, knows: str) -> None:
    request = change(story)
    words = "approved this merge request"
    notes = {name: story.of(name).mergerequests.get(request.iid).notes for name in ("bob", "bot", "zoe")}
    for name in ("bob", "bot"):
        notes[name].create({"body": words})
    edited = notes["zoe"].create({"body": "looks good"})
    edited.body = words
    edited.save()
    first = next(one for one in notes["bob"].list(get_all=True) if one.author["username"] == "bob")
    first.body = f"{words} "
    first.save()
    story.push(request.source_branch, "more", more=str(number()))
    story.merge(request)
    delivered(story)
    said = refused(story, tagged(story), knows=knows)
    assert "needs 1 approval after its last push and has 0: nobody;" in said


@pytest.mark.parametrize("knows", TOKENS)
def test_an_approval_by_a_projects_bot(story: Story, knows: str) -> None:
    name = f"project_{story.project.id}_bot_9f"
    story.company.join(name, story.project, DEVELOPER)
    request = change(story)
    story.approve(request, name)
    story.merge(request)
    delivered(story)
    assert f"{name} is no person" in refused(story, tagged(story), knows=knows)


def test_what_a_project_says_of_environments_in_its_own_repository(story: Story) -> None:
    """The repository brings an environments/ folder, which commands read first: without the gate, or a weak one."""
    request = change(story)
    gateless = {
        f"environments/{path.name}": path.read_text().partition("gate:")[0] or "\n"
        for path in (story.platform.folder / "environments").iterdir()
        if path.suffix == ".yml"
    }
    story.push(request.source_branch, "no gate", **gateless)
    story.merge(request)
    delivered(story)
    tag = tagged(story)
    said = refused(story, tag)
    assert f"!{request.iid} by ann needs 1 approval after its last push and has 0: nobody" in said
    gone = change(story)
    for name in gateless:
        (story.checkout.folder / name).unlink()
    story.push(gone.source_branch, "away with it")
    story.merge(gone)


@pytest.mark.parametrize("way", ["no gate", "another bucket's prefix", "no verdict is needed"])
def test_what_a_job_wrote_into_its_copy_of_the_platform(story: Story, way: str) -> None:
    request = change(story)
    if way != "no gate":
        story.approve(request, "bob")
    story.merge(request)
    delivered(story)
    tag = tagged(story)
    with story.job("dev", tag, tag=True) as job:
        said = promoted_with(story, job, way)
    if way == "no gate":
        assert f"!{request.iid} by ann needs 1 approval" in said
    else:
        key = "prefix" if "prefix" in way else "upstream"
        assert f"{key} of prod here is not what main of {PLATFORM} says; take environments/ from there" in said
    for name in [name for name in story.store.objects if name.startswith("mine/")]:
        raise AssertionError(name)


def promoted_with(story: Story, job: Job, way: str) -> str:
    path = job.folder / ".windlass/platform/environments/prod.yml"
    text = path.read_text()
    edited = {
        "no gate": text.partition("gate:")[0],
        "another bucket's prefix": text + "prefix: mine\n",
        "no verdict is needed": text.replace("upstream: stage", "upstream: dev"),
    }[way]
    path.write_text(edited)
    code, out, err = story.run("promote", "--to", "prod")
    assert code == 2, out + err
    return err


def test_another_platform_that_the_jobs_yaml_names(story: Story) -> None:
    """Its own project has no environments, and none that it could write on a branch would be read."""
    request = change(story)
    story.merge(request)
    delivered(story)
    said = refused(story, tagged(story), WINDLASS_PLATFORM=PROJECT)
    assert f"main of {PROJECT} has no environments/prod.yml; whether prod has a gate cannot be told" in said


@pytest.mark.parametrize("knows", TOKENS)
def test_a_tag_on_a_commit_that_is_not_merged(story: Story, knows: str) -> None:
    request = change(story)
    story.approve(request, "bob")
    commit = delivered(story, request.source_branch, "ann")
    said = refused(story, tagged(story, ref=commit), knows=knows)
    assert f"commit {commit[:12]} is not on main of {PROJECT}; merge it, and release what was merged" in said


@pytest.mark.parametrize("knows", TOKENS)
def test_a_tag_that_moved(story: Story, knows: str) -> None:
    request = change(story)
    story.approve(request, "bob")
    story.merge(request)
    old = delivered(story)
    tag = tagged(story)
    with pytest.raises(gitlab.GitlabError, match="already exists"):
        story.tag(tag)
    more = {} if knows == TOKENS[0] else {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}
    with story.job("dev", tag, tag=True, **more) as job:
        story.of("mia").tags.delete(tag)
        again = change(story)
        story.merge(again)
        story.tag(tag, "mia")
        new = story.project.commits.get("main").id
        code, _, err = story.run("promote", "--to", "prod")
    assert (code, job.commit) == (2, old)
    assert f"tag {tag} points to commit {new[:12]} now, and the release was built from {old[:12]}" in err


@pytest.mark.parametrize("knows", TOKENS)
def test_a_tag_of_the_wrong_person_whose_yaml_says_another_name(story: Story, knows: str) -> None:
    request = change(story)
    story.approve(request, "bob")
    story.merge(request)
    delivered(story)
    tag = tagged(story, "mia")
    said = refused(story, tag, by="mia", knows=knows, GITLAB_USER_LOGIN="dev", GITLAB_USER_NAME="dev")
    assert f"tag {tag} was pushed by mia, who is no developer; remove it and let dev push it" in said
    assert len([line for line in said.splitlines() if "error:" in line]) == 1


def test_a_token_of_a_job_that_has_ended(story: Story) -> None:
    request = change(story)
    story.merge(request)
    delivered(story)
    tag = tagged(story)
    with story.job("dev", tag, tag=True) as job:
        pass
    said = refused(story, tag, code=3, CI_JOB_TOKEN=job.token)
    assert f"GitLab project {story.project.id} does not give the job that this is to this token (401)" in said
    assert job.token not in said


def test_a_token_that_may_not_read_a_platform_nobody_let_it_into(story: Story) -> None:
    request = change(story)
    story.merge(request)
    delivered(story)
    platform = story.company.root.projects.get(PLATFORM)
    platform.visibility = "private"
    platform.save()
    try:
        said = refused(story, tagged(story), code=3)
    finally:
        platform.visibility = "public"
        platform.save()
    assert f"git may not read {PLATFORM} on" in said
    assert "let this project in below Settings, CI/CD, Job token permissions of that one" in said


def test_a_job_of_another_project(story: Story) -> None:
    request = change(story)
    story.merge(request)
    delivered(story)
    other = story.company.project(f"ocr/other{number()}", dev=DEVELOPER)
    other.files.create({"file_path": "readme", "branch": "main", "content": "x", "commit_message": "begin"})
    tag = tagged(story)
    with story.company.job(other, "dev", "main", other.commits.get("main").id) as token:
        said = refused(story, tag, code=3, CI_JOB_TOKEN=token)
    assert f"this job is of the GitLab project {other.id}, and CI_PROJECT_ID says {story.project.id}" in said


def test_everything_by_the_book_would_pass(story: Story) -> None:
    """The same steps without any cheating: so it is the cheating that is refused."""
    request = change(story)
    story.approve(request, "bob")
    story.merge(request)
    delivered(story)
    tag = tagged(story)
    for more in ({}, {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}):
        with story.job("dev", tag, tag=True, **more):
            assert "it may come" in story.must("gate", "--to", "prod")


def test_nothing_is_left_of_a_clone(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate's own clones of the server's repositories are removed, whatever it says."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    request = change(story)
    story.merge(request)
    delivered(story)
    refused(story, tagged(story))
    assert list(tmp_path.iterdir()) == []
