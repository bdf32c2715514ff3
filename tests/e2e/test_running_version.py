"""A run that has begun goes on with the version it began with, through a promotion and a rollback."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.e2e.test_demo import content, finished, states
from windlass.spec.airflow import Run

pytestmark = pytest.mark.e2e

PIPELINE = """\
dag: {{name: slow_report, description: Tells its version at the end; {version}}}
tasks:
  first:
    wait:
      job: {{docker_image: python3-11, resource_flavor: cpu-1gb, execution_time: 3 minutes,
            execution_script: "sleep {seconds}; echo first {version} > {{out}}"}}
      outputs: {{out: first.txt}}
  second:
    tell:
      job: {{docker_image: python3-11, resource_flavor: cpu-1gb, execution_time: 1 minute,
            execution_script: "cat {{before}} > {{out}}; echo second {version} >> {{out}}"}}
      inputs: {{before: first.wait.out}}
      outputs: {{out: second.txt}}
  third:
    deliver:
      operator_type: deliver
      inputs: {{report: second.tell.out}}
      to: "slow/{{run_id}}.txt"
"""


def deliver(demo: Demo, folder: Path, version: int, seconds: int) -> str:
    """Commits, releases and promotes one version to dev; the name of the state that is live then."""
    (folder / "pipelines").mkdir(parents=True, exist_ok=True)
    (folder / "pipelines/slow_report.yml").write_text(PIPELINE.format(version=version, seconds=seconds))
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", f"Version {version}"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    for arguments in (["release"], ["promote", "--to", "dev"]):
        done = demo.windlass(*arguments, folder=folder, environment="dev", WINDLASS_PROJECT="slow")
        assert done.returncode == 0, done.stderr
    return str(states(demo)["dev"]["state"])


def delivered(demo: Demo, run: Run) -> str:
    return content(demo, "windlass-data", f"dev/delivered/slow/{run.run_id}.txt").decode()


def wait_until_running(demo: Demo, run: Run) -> None:
    api, deadline = demo.airflow("dev"), time.monotonic() + 60
    while True:
        tasks = {task.task_id: task.state for task in api.task_runs(run.dag_id, run.run_id)}
        if tasks.get("first.wait") == "running":
            return
        assert time.monotonic() < deadline, tasks
        time.sleep(0.5)


def test_a_run_ends_on_the_version_it_began_with_through_promotion_and_rollback(demo: Demo, tmp_path: Path) -> None:
    first = deliver(demo, tmp_path, 1, seconds=45)
    api = demo.airflow("dev")
    begun_before = api.trigger("slow_report")
    wait_until_running(demo, begun_before)
    second = deliver(demo, tmp_path, 2, seconds=1)
    assert api.run("slow_report", begun_before.run_id).state == "running", "the promotion came after the run"
    begun_after = finished(demo, "dev", api.trigger("slow_report"))
    done = demo.windlass("rollback", "dev", folder=tmp_path, environment="dev", WINDLASS_PROJECT="slow")
    assert done.returncode == 0, done.stderr
    begun_before = finished(demo, "dev", begun_before)
    assert (begun_before.state, begun_after.state) == ("success", "success")
    assert (begun_before.version, begun_after.version) == (first, second)
    assert delivered(demo, begun_before) == "first 1\nsecond 1\n"
    assert delivered(demo, begun_after) == "first 2\nsecond 2\n"
    print(f"\nbegan and ended on {first} while {second} was live")
