"""`windlass stack` and `windlass rehearse` on the command line."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from windlass.cli import rehearse, stack
from windlass.spec.errors import WindlassError
from windlass.stack.settings import Credentials, Settings, save


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A stack that does not run, with an awkward secret."""
    key = Credentials(access_key_id="AKIA", secret_access_key="it's $secret")
    ports = {name: 20_000 + n for n, name in enumerate(("s3", "gitlab", "dev", "stage", "prod"))}
    users = dict.fromkeys(("operator", "airflow-dev", "airflow-stage", "airflow-prod"), key)
    save(tmp_path, Settings(ports=ports, users=users))
    return tmp_path


def test_env_prints_what_a_shell_evaluates_to_the_same_values(home: Path) -> None:
    done = CliRunner().invoke(stack.command, ["env", "stage", "--home", str(home)], catch_exceptions=False)
    assert done.exit_code == 0
    assert all(shlex.split(line)[0] == "export" for line in done.output.splitlines())
    script = done.output + 'printf "%s|%s|%s" "$AWS_SECRET_ACCESS_KEY" "$AWS_ENDPOINT_URL" "$WINDLASS_AIRFLOW_URL"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shell.stdout == "it's $secret|http://127.0.0.1:20000|http://127.0.0.1:20003"


def test_env_without_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(WindlassError, match="start one with `windlass stack up`"):
        CliRunner().invoke(stack.command, ["env", "--home", str(tmp_path)], catch_exceptions=False)


def test_status_of_what_never_ran_is_stopped(tmp_path: Path) -> None:
    done = CliRunner().invoke(stack.command, ["status", "--json", "--home", str(tmp_path)], catch_exceptions=False)
    found = {row["service"]: row["state"] for row in json.loads(done.output)}
    assert found == dict.fromkeys(["s3", "gitlab", "dev", "stage", "prod"], "stopped")


def test_status_shows_a_table(home: Path) -> None:
    done = CliRunner().invoke(stack.command, ["status", "--home", str(home)], catch_exceptions=False)
    assert done.exit_code == 0


def test_a_tag_without_the_tag_event_is_refused_before_anything_starts(tmp_path: Path) -> None:
    arguments = [str(tmp_path), "--tag", "v1.0.0", "--home", str(tmp_path / "home")]
    with pytest.raises(WindlassError, match="give --event tag"):
        CliRunner().invoke(rehearse.command, arguments, catch_exceptions=False)
    assert not (tmp_path / "home").exists()


def test_a_variable_that_is_not_set_is_refused_before_anything_starts(tmp_path: Path) -> None:
    arguments = [str(tmp_path), "--variable", "NOBODY_SETS_THIS", "--home", str(tmp_path / "home")]
    with pytest.raises(WindlassError, match="not set here: NOBODY_SETS_THIS"):
        CliRunner().invoke(rehearse.command, arguments, catch_exceptions=False)
    assert not (tmp_path / "home").exists()
