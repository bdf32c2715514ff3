"""A child pipeline runs in a rehearsal as in GitLab: with the event's variables, and its end is its trigger's."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from windlass.stack import node
from windlass.stack.child_pipelines import find_triggers
from windlass.stack.pipeline import Job, Pipeline

from .conftest import Checkout, Remote
from .test_pipeline import until
from .test_stack import left_behind

ONLY_IN_A_CHILD = {"rules": [{"if": '$CI_PIPELINE_SOURCE == "parent_pipeline"'}]}
CHILDREN = {
    "good": {
        "c:told": {
            "tags": ["gpu"],
            "image": "$REGISTRY/training:1",
            "script": ['echo "$CI_PIPELINE_SOURCE $CI_COMMIT_TAG [$CI_COMMIT_BRANCH] $GIVEN $AIM"'],
        },
        "c:later": {"stage": "deploy", "script": ["true"], "environment": "dev"},
        "c:button": {"stage": "deploy", "script": ["true"], "when": "manual"},
    },
    "bad": {
        "c:falls": {"script": ["echo and says why", "exit 3"]},
        "c:stays": {"script": ["true"]},
        "c:waits": {"stage": "deploy", "script": ["true"]},
    },
    "lenient": {"c:warns": {"script": ["false"]}},
    "loose": {"c:ignored": {"script": ["false"]}},
    "empty": {"c:elsewhere": {"script": ["true"], "rules": [{"if": "$NEVER"}]}},
    "unreadable": {"c:unread": {"script": ["true"], "needs": ["c:nobody"]}},
}


def trigger(name: str) -> dict[str, object]:
    """The job that starts the child, and one that needs it."""
    loose, lenient = name == "loose", name == "lenient"
    artifact = {"include": [{"artifact": f"{name}.yml", "job": "p:write"}]}
    return {
        f"p:{name}": {
            "stage": "build",
            "needs": ["p:write"],
            "variables": {"GIVEN": "$SECRET_TOKEN-$CI_COMMIT_TAG"},
            "trigger": artifact if loose else {**artifact, "strategy": "depend"},
            "rules": [{"allow_failure": lenient}],
        },
        f"p:{name}:after": {"stage": "deploy", "needs": [f"p:{name}"], "script": ["true"]},
    }


class Ran(NamedTuple):
    """What became of the jobs, and all that they said."""

    jobs: dict[str, Job]
    lines: list[str]

    def result(self, *names: str) -> list[str]:
        """The results of jobs."""
        return [self.jobs[name].result for name in names]


def pipeline_of(clone: Path, jobs: dict[str, object], files: dict[str, str]) -> Pipeline:
    """The pipeline of these jobs in a repository that has these files besides."""
    checkout = Checkout(clone, Remote("http://127.0.0.1:1", ""))
    checkout.commit(**{"__gitlab-ci__yml": json.dumps(jobs), **files})
    checkout.git("remote", "add", "origin", "http://127.0.0.1:1/models/digits.git")
    checkout.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return Pipeline(
        clone=checkout.folder,
        command=node.gitlab_ci_local(print),
        variables={"CI_COMMIT_TAG": "v1.2.3", "CI_PIPELINE_SOURCE": "push", "AIM": "aim"},
        unset=("CI_COMMIT_BRANCH",),
        scoped={"SECRET_TOKEN": {"*": "a-secret-value"}},
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, rsync: None) -> Ran:
    """A pipeline with every kind of child, run once by gitlab-ci-local."""
    jobs: dict[str, object] = {"default": {"before_script": ["echo before"]}}
    jobs["p:write"] = {"stage": "build", "script": ["mv written/*.yml ."], "artifacts": {"paths": ["*.yml"]}}
    files = {}
    for name, child in CHILDREN.items():
        jobs |= trigger(name)
        files[f"written/{name}.yml"] = json.dumps({job: ONLY_IN_A_CHILD | what for job, what in child.items()})
    lines: list[str] = []
    found = pipeline_of(tmp_path_factory.mktemp("run") / "clone", jobs, files).run(lines.append)
    print("\n".join(lines))
    return Ran({job.name: job for job in found}, lines)


pytestmark = pytest.mark.stack


def test_a_childs_jobs_are_told_after_the_job_that_triggers_it(ran: Ran) -> None:
    names = list(ran.jobs)
    begin = names.index("p:good")
    assert names[begin : begin + 4] == ["p:good", "c:told", "c:later", "c:button"]
    assert ran.result("p:good", "c:told", "c:later", "c:button") == ["passed", "passed", "passed", "manual"]
    later = ran.jobs["c:later"]
    assert (later.stage, later.environment) == ("deploy", "dev")
    assert later.seconds is not None


def test_a_child_knows_the_event_and_what_its_trigger_gives_it(ran: Ran) -> None:
    said = [line.partition("> ")[2] for line in ran.lines if line.startswith("c:told") and "> " in line]
    assert said == ["parent_pipeline v1.2.3 [] [MASKED]-v1.2.3 aim"]


def test_a_child_that_fails_fails_its_trigger_and_what_needs_that_is_skipped(ran: Ran) -> None:
    assert ran.result("p:bad", "c:falls", "c:stays", "c:waits") == ["failed", "failed", "passed", "skipped"]
    assert ran.result("p:bad:after", "p:good:after") == ["skipped", "passed"]
    assert any(line.startswith("c:falls") and line.endswith("> and says why") for line in ran.lines)


def test_a_trigger_that_may_fail_warns_and_so_do_the_jobs_of_its_child(ran: Ran) -> None:
    assert ran.result("p:lenient", "c:warns", "p:lenient:after") == ["allowed to fail", "allowed to fail", "passed"]


def test_a_trigger_that_does_not_depend_on_its_child_passes(ran: Ran) -> None:
    assert ran.result("p:loose", "c:ignored", "p:loose:after") == ["passed", "allowed to fail", "passed"]


def test_a_child_without_a_job_or_that_cannot_be_read_fails_as_in_gitlab(ran: Ran) -> None:
    assert ran.result("p:empty", "p:unreadable") == ["failed", "failed"]
    assert "the child pipeline has no job" in ran.lines
    assert any("c:nobody" in line for line in ran.lines)
    assert not {"c:elsewhere", "c:unread"} & ran.jobs.keys()


def test_what_the_machinery_says_is_left_out(ran: Ran) -> None:
    assert not any("gitlab-ci-local/dist" in line or "--list-csv-all" in line for line in ran.lines)


@pytest.mark.usefixtures("rsync")
def test_an_interrupted_pipeline_leaves_no_job_of_a_child_behind(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if line.endswith("> began"):
            assert any("child-1" in process for process in left_behind(tmp_path))
            raise KeyboardInterrupt

    child = {"c:sleeps": ONLY_IN_A_CHILD | {"script": ["sleep 100 & echo began", "wait"]}}
    run = pipeline_of(
        tmp_path / "clone", {"p:child": {"trigger": {"include": "own.yml"}}}, {"own.yml": json.dumps(child)}
    )
    with pytest.raises(KeyboardInterrupt):
        run.run(interrupt)
    until(lambda: left_behind(tmp_path) == [])


def test_triggers_of_another_project_or_of_several_files_are_left_to_gitlab_ci_local() -> None:
    text = """
variables: {SHARED: 012, LATE: no}
.hidden: {trigger: {include: [{local: a.yml}]}}
other: {trigger: {project: group/other}}
short: {trigger: group/other}
two: {trigger: {include: [{local: a.yml}, {local: b.yml}]}}
of_project: {trigger: {include: [{project: group/other, file: a.yml}]}}
script: {script: [true]}
mine: {trigger: {include: [{local: /a.yml}], strategy: mirror}, variables: {LATE: 12:30}}
bare: {trigger: {include: [{local: a.yml}], forward: {yaml_variables: false}}}
"""
    found = {each.job: each for each in find_triggers(text)}
    assert found.keys() == {"mine", "bare"}
    assert (found["mine"].file, found["mine"].depends) == ("a.yml", True)
    assert found["mine"].variables == {"SHARED": "012", "LATE": "12:30"}, "text as it was written"
    assert (found["bare"].depends, found["bare"].variables) == (False, {})
