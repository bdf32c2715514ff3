"""defaults.yml: what pipelines take from it, and what they do not."""

from pathlib import Path

import pytest

from windlass.lint.check import check_project
from windlass.lint.report import corrections, lint
from windlass.render.project import render_project
from windlass.spec.pipeline import Pipeline

from .shop import FILES, ORDERS, said, write

PLAIN = """\
dag: {name: plain}
tasks:
  take: {rows: {operator_type: s3_to_file, key: a, outputs: {data: a.csv}}}
  work:
    inner:
      count:
        job: {execution_script: "wc {data}"}
        inputs: {data: take.rows.data}
"""
JOB = "job: {docker_image: python3-11, execution_time: 5 minutes, resource_flavor: cpu}\n"


def plain(folder: Path, files: dict[str, str]) -> Pipeline:
    report = check_project(write(folder, {"pipelines/plain.yml": PLAIN, **files}), None)
    assert not report.problems, said(report)
    return report.pipelines["pipelines/plain.yml"]


def test_the_nearest_defaults_win_and_the_pipeline_wins_over_all(tmp_path: Path) -> None:
    pipeline = plain(
        tmp_path,
        {
            ".windlass/platform/defaults.yml": "dag: {owner: platform, retries: 1, queue: q, description: d}\n" + JOB,
            "defaults.yml": "dag: {owner: shop, retries: 2}\n",
            "pipelines/defaults.yml": "dag: {retries: 3}\n",
            "pipelines/plain.yml": PLAIN.replace("plain}", "plain, description: own}"),
        },
    )
    dag = pipeline.dag
    assert (dag.queue, dag.owner, dag.retries, dag.description) == ("q", "shop", 3, "own")
    assert pipeline.origins == (".windlass/platform/defaults.yml", "defaults.yml", "pipelines/defaults.yml")


def test_jobs_and_operators_have_defaults_and_the_order_of_tasks_is_the_pipelines(tmp_path: Path) -> None:
    pipeline = plain(tmp_path, {"defaults.yml": JOB + "operators: {s3_to_file: {pool: lake, key: other}}\n"})
    job, take = pipeline.task_ids["work.inner.count"].job, pipeline.task_ids["take.rows"]
    assert job is not None
    assert (job.docker_image, job.resource_flavor) == ("python3-11", "cpu")
    assert (take.arguments, take.pool) == ({"key": "a"}, "lake")
    assert list(pipeline.task_ids) == ["take.rows", "work.inner.count"]


def test_notify_and_params_are_laid_over_each_other_by_name(tmp_path: Path) -> None:
    pipeline = plain(
        tmp_path,
        {
            "defaults.yml": JOB
            + "dag: {notify: {failure: [ops]}, params: {day: {type: string, default: a, title: Day}}}\n",
            "pipelines/plain.yml": PLAIN.replace(
                "plain}", "plain, notify: {success: [me]}, params: {day: {type: string, default: b}}}"
            ),
        },
    )
    assert pipeline.dag.notify is not None
    assert (pipeline.dag.notify.failure, pipeline.dag.notify.success) == (["ops"], ["me"])
    assert (pipeline.dag.params["day"].default, pipeline.dag.params["day"].title) == ("b", "Day")


def test_defaults_can_differ_in_an_environment(tmp_path: Path) -> None:
    pipeline = plain(
        tmp_path, {"defaults.yml": JOB + 'dag: {schedule: "@daily"}\nenvironments: {dev: {dag: {schedule: null}}}\n'}
    )
    assert pipeline.dag.schedule == "@daily"
    assert pipeline.variants["dev"].dag.schedule is None


def test_a_template_says_more_than_defaults(tmp_path: Path) -> None:
    report = check_project(write(tmp_path, {**FILES, "defaults.yml": "dag: {retries: 1, owner: shop}\n"}), None)
    dag = report.pipelines["pipelines/orders.yml"].dag
    assert (dag.retries, dag.owner) == (3, "shop")


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        ("dag: {retires: 1}\n", "defaults.yml:1:7: dag.retires has no default; did you mean 'retries'?"),
        ("dag: {name: x}\n", "defaults.yml:1:7: dag.name has no default"),
        (
            "dag: {retries: x}\n",
            "defaults.yml:1:16: retries must be a whole number, not 'x' (used by pipelines/plain.yml)",
        ),
        (
            "task: {retries: 1}\n",
            "defaults.yml:1:1: defaults have no 'task': what holds for every task stands below dag",
        ),
        ("jobs: {}\n", "defaults.yml:1:1: unknown key 'jobs' in the file; did you mean 'job'?"),
        ("job: {image: a}\n", "defaults.yml:1:7: a job has no key 'image'"),
        ("job: {execution_script: a}\n", "defaults.yml:1:7: job.execution_script is each job's own"),
        ("operators: {s3_to_fil: {a: 1}}\n", "defaults.yml:1:13: there is no operator 's3_to_fil'; did you mean"),
        ("operators: {s3_to_file: {a: 1}}\n", "defaults.yml:1:26: operator 's3_to_file' has no argument 'a'"),
        ("operators: {s3_to_file: {needs: []}}\n", "defaults.yml:1:26: needs is a task's own; it has no default"),
        ("environments: {dev: {dag: {name: x}}}\n", "defaults.yml:1:28: dag.name cannot differ between environments"),
        ("environments: {dev: {tasks: {}}}\n", "defaults.yml:1:22: unknown key 'tasks' in environments.dev"),
        ("a: [\n", "defaults.yml:2:1: "),
        ("[]\n", "defaults.yml:1:1: the file must be a mapping"),
    ],
)
def test_what_is_wrong_with_defaults_is_said_there(defaults: str, expected: str, tmp_path: Path) -> None:
    text = PLAIN.replace("{execution_script", JOB.strip()[5:-1] + ", execution_script")
    report = check_project(write(tmp_path, {"pipelines/plain.yml": text, "defaults.yml": defaults}), None)
    assert any(line.startswith(expected) for line in said(report)), said(report)


def test_a_change_of_a_default_that_is_used_is_a_change_of_the_pipelines_source(tmp_path: Path) -> None:
    def source(defaults: str) -> str:
        write(tmp_path, {"pipelines/plain.yml": PLAIN, "defaults.yml": JOB + defaults})
        report = check_project(tmp_path, None)
        return render_project(tmp_path, "shop", report.pipelines, report.catalog, {}).manifest.pipelines["plain"].source

    assert source("dag: {retries: 1}\n") != source("dag: {retries: 2}\n")
    assert source("operators: {sql: {connection: a}}\n") == source("operators: {sql: {connection: b}}\n"), (
        "none is used"
    )


def test_who_checks_one_pipeline_hears_what_it_takes_from_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, {"pipelines/plain.yml": PLAIN, "defaults.yml": JOB + "dag: {retries: x}\n"})
    write(tmp_path, {"pipelines/other.yml": PLAIN.replace("plain", "other")})
    found = lint(["pipelines/plain.yml"], tmp_path, None)
    assert [problem.path for problem in found.problems] == ["defaults.yml"]
    assert found.files == ["pipelines/plain.yml"]
    assert lint(["defaults.yml"], tmp_path, None).files == ["defaults.yml"]


def test_templates_and_defaults_are_checked_from_outside_too(tmp_path: Path) -> None:
    write(tmp_path / "shop", {**FILES, "defaults.yml": "dag: {owner: shop}\n", "pipelines/defaults.yml": "job: {}\n"})
    for path in ("shop/templates/etl@2.yml", "shop/defaults.yml", "shop/pipelines/defaults.yml", "shop/templates"):
        found = lint([path], tmp_path, None)
        assert found.problems == []
        assert found.files == [path if path.endswith(".yml") else "shop/templates/etl@2.yml"]


def test_a_correction_is_made_where_the_text_stands(tmp_path: Path) -> None:
    template = FILES["templates/etl@2.yml"].replace("retries: 3", "retires: 3")
    write(tmp_path, {**FILES, "templates/etl@2.yml": template})
    assert [(one.path, one.after) for one in corrections([], tmp_path, None)] == [
        ("templates/etl@2.yml", FILES["templates/etl@2.yml"])
    ]


def test_the_platforms_files_are_not_corrected(tmp_path: Path) -> None:
    template = FILES["templates/etl@2.yml"].replace("retries: 3", "retires: 3")
    write(tmp_path, {".windlass/platform/templates/etl@2.yml": template, "pipelines/orders.yml": ORDERS})
    assert lint([], tmp_path, None).problems
    assert corrections([], tmp_path, None) == []
