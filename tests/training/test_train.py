"""Training from data to a version in the bucket, with real processes and a bucket in memory."""

import json
from pathlib import Path

import pytest

from tests.training.projects import ORIGIN, Project, make_model, make_project
from windlass.spec.errors import TransientError, WindlassError
from windlass.spec.model import Model, ModelVersion, model_key
from windlass.training.kept import find_version, keep_version
from windlass.training.train import Outcome, train
from windlass.training.versions import expected_version


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "repository")


def run(project: Project, model: Model, live: dict[str, float] | None = None) -> Outcome:
    return train(project.folder, "digits", model, project.workshop, ORIGIN, live)


def kept(project: Project, version: str) -> ModelVersion:
    found = find_version(project.store, "dev", "digits", version)
    assert found
    return found


def test_a_model_that_passes_is_kept_with_its_files_and_origin(project: Project) -> None:
    outcome = run(project, make_model())
    assert (outcome.reasons, outcome.trained, outcome.metrics) == ((), True, {"accuracy": 0.97})
    assert outcome.version == expected_version(project.folder, "digits", make_model(), project.source.digest)
    version = kept(project, outcome.version)
    assert sorted(version.files) == ["model.txt", "score.py"]
    contents = {
        name: project.store.objects[f"dev/digits/{outcome.version}/{file.key}"] for name, file in version.files.items()
    }
    assert contents == {"model.txt": b"rows\nrows\n", "score.py": b"print('scores')\n"}
    assert (version.commit, version.job_url, version.trained_at) == (ORIGIN.commit, ORIGIN.job_url, ORIGIN.at)
    assert version.inputs["data"]["train"] == project.source.digest("s3://data/train.csv")


def test_the_same_inputs_are_not_trained_twice(project: Project) -> None:
    first = run(project, make_model())
    before = dict(project.store.objects)
    project.said.clear()
    second = run(project, make_model())
    assert (second.version, second.trained, second.reasons) == (first.version, False, ())
    assert "trained" not in project.said
    assert project.store.objects == before


def test_the_job_sees_only_the_code_that_makes_the_version(project: Project) -> None:
    script = "ls > {model}; echo '{\"accuracy\": 1}' > {metrics}"
    outcome = run(project, make_model(train=make_model().train.model_dump() | {"execution_script": script}))
    file = kept(project, outcome.version).files["model.txt"]
    listed = project.store.objects[f"dev/digits/{outcome.version}/{file.key}"]
    assert listed.decode().split() == ["accuracy.txt", "score.py", "src"]


@pytest.mark.parametrize(
    ("accuracy", "live", "reason"),
    [
        (0.90, None, "metric 'accuracy' is 0.9, below the gate's at_least 0.95"),
        (0.97, {"accuracy": 0.98}, "metric 'accuracy' is 0.97, below the live version's 0.98"),
    ],
)
def test_a_failed_gate_keeps_nothing(
    tmp_path: Path, accuracy: float, live: dict[str, float] | None, reason: str
) -> None:
    project = make_project(tmp_path / "repository", accuracy)
    outcome = run(project, make_model(), live)
    assert outcome.reasons == (reason,)
    assert project.store.objects == {}


def test_a_version_that_is_kept_already_is_judged_by_the_gates_of_today(project: Project) -> None:
    run(project, make_model())
    stricter = make_model(gates={"accuracy": {"at_least": 0.99}})
    assert run(project, stricter).reasons == ("metric 'accuracy' is 0.97, below the gate's at_least 0.99",)


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ("echo broken; exit 1", "the test run ended with exit code 1"),
        ("kill -SEGV $$", "the test run was killed by SIGSEGV"),
    ],
)
def test_failing_tests_end_it_before_training(project: Project, tests: str, reason: str) -> None:
    outcome = run(project, make_model(tests=tests))
    assert outcome.reasons == (reason,)
    assert "trained" not in project.said
    assert project.store.objects == {}


def test_tests_see_the_whole_project_but_can_break_nothing_and_read_no_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-value")
    outcome = run(project, make_model(tests="cat secrets.txt; env; rm -r *"))
    assert outcome.reasons == ()
    assert "not part of the job" in project.said
    assert "secret-value" not in " ".join(project.said)
    assert (project.folder / "src" / "train.py").exists()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo no luck; exit 3", "the script ended with exit code 3"),
        ("sleep 60", "the script was stopped at its time limit of 1 second"),
        ("echo x > {model}", "output 'metrics' (metrics.json) was not written"),
        ("echo x > {model}; echo nonsense > {metrics}", "metrics.json is not JSON"),
        ("echo x > {model}; echo [1] > {metrics}", "must hold one object of numbers"),
        ('echo x > {model}; echo \'{"accuracy": "high"}\' > {metrics}', "'accuracy' must be a number, not text"),
        ("echo x > {model}; echo '{\"accuracy\": true}' > {metrics}", "'accuracy' must be a number, not true or false"),
        ("echo x > {model}; echo '{\"accuracy\": NaN}' > {metrics}", "'accuracy' is nan; a metric must be a finite"),
        (
            f"echo x > {{model}}; echo '{{\"a\": 1{'0' * 400}}}' > {{metrics}}",
            "'a' is too large; a metric must be a finite",
        ),
        ("echo x > {model}; echo '{\"a\\ud800\": 1}' > {metrics}", "'a\\ud800' is no name for a metric"),
        ('echo x > {model}; echo \'{"a": {"b": 1}}\' > {metrics}', "'a' must be a number, not an object"),
        ("echo x > {model}; echo '{\"other\": 1}' > {metrics}", "metric 'accuracy' was not measured"),
    ],
)
def test_a_job_that_does_not_deliver_is_refused_with_its_reason(project: Project, script: str, reason: str) -> None:
    limit = "1 second" if "sleep" in script else "20 seconds"
    job = make_model().train.model_dump() | {"execution_script": script, "execution_time": limit}
    outcome = run(project, make_model(train=job))
    assert reason in outcome.reasons[0]
    assert project.store.objects == {}


def test_data_that_cannot_be_fetched_stop_the_command(project: Project) -> None:
    with pytest.raises(TransientError, match="s3://data/none"):
        run(project, make_model(data={"train": "s3://data/none"}))


def test_a_crash_at_any_write_leaves_no_version_and_the_next_run_finishes(project: Project) -> None:
    class Crash(BaseException):
        pass

    writes = len([call for call in crash_free_calls(project) if call.startswith("put ")])
    for at in range(writes):
        project.store.objects.clear()
        left = [at]

        def crash(call: str, left: list[int] = left) -> None:
            if call.startswith("put "):
                if left[0] == 0:
                    raise Crash
                left[0] -= 1

        project.store.before = crash
        with pytest.raises(Crash):
            run(project, make_model())
        assert not any(key.endswith("model.json") for key in project.store.objects)
        project.store.before = lambda call: None
        assert run(project, make_model()).trained
    assert writes == 3


def crash_free_calls(project: Project) -> list[str]:
    run(project, make_model())
    return list(project.store.calls)


def test_the_loser_of_a_race_adopts_the_winners_version(project: Project) -> None:
    winner = run(project, make_model())
    key = model_key("dev", "digits", winner.version)
    theirs = json.loads(project.store.objects.pop(key)) | {"metrics": {"accuracy": 0.99}, "commit": "d" * 40}

    def somebody_is_faster(call: str) -> None:
        if call == f"put {key}":
            project.store.objects[key] = json.dumps(theirs).encode()

    project.store.before = somebody_is_faster
    assert run(project, make_model()).metrics == {"accuracy": 0.99}
    assert kept(project, winner.version).commit == "d" * 40
    assert keep_version(project.store, "dev", kept(project, winner.version)).commit == "d" * 40


def test_code_that_changes_while_training_is_not_kept_under_the_old_name(project: Project) -> None:
    script = f"echo changed > {project.folder}/score.py; python src/train.py {{train}} 1 {{model}} {{metrics}}"
    job = make_model().train.model_dump() | {"execution_script": script}
    with pytest.raises(WindlassError, match=r"'score.py' was changed while the model was trained"):
        run(project, make_model(train=job))
    assert project.store.objects == {}


def test_code_that_changes_while_the_tests_run_is_not_trained_under_the_old_name(project: Project) -> None:
    with pytest.raises(WindlassError, match=r"'src/train.py' was changed while the model was trained"):
        run(project, make_model(tests=f"echo '# changed' >> {project.folder}/src/train.py"))
    assert "trained" not in project.said


@pytest.mark.parametrize("key", ["a/..", "a/.", "with a space é.csv", "n" * 300, "-rf", "a\nb", "a\0b"])
def test_a_key_of_any_name_is_a_file_for_the_job(project: Project, key: str) -> None:
    uri = f"s3://data/{key}"
    project.source.objects[uri] = b"rows\n"
    assert run(project, make_model(data={"train": uri})).reasons == ()


def test_a_model_json_that_is_none_is_named(project: Project) -> None:
    version = expected_version(project.folder, "digits", make_model(), project.source.digest)
    project.store.objects[model_key("dev", "digits", version)] = b'{"model": 1}'
    with pytest.raises(WindlassError, match=r"model\.json does not describe a version: model: "):
        run(project, make_model())
