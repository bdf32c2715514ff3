"""A project that is trained, released, promoted, rolled back and looked at, each by the user who would do it."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.iam.conftest import Guarded
from windlass.adapters.download import Downloads
from windlass.adapters.s3 import open_bucket
from windlass.cli.main import main
from windlass.delivery.environment.owned import load_owned, save_owned
from windlass.delivery.gc.gc import perform_gc
from windlass.delivery.gc.needed import Rules, deciding_gc
from windlass.delivery.history.states import load_current, load_named
from windlass.delivery.place import Place
from windlass.delivery.promotion.models import load_version
from windlass.delivery.promotion.survey import load_release
from windlass.delivery.verification.verdicts import record_verdict
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage
from windlass.runtime.transfer import fetch_model
from windlass.spec.airflow import DagReport, Run
from windlass.spec.errors import WindlassError
from windlass.spec.review import FOLDER
from windlass.spec.state import State
from windlass.spec.store import Store
from windlass.spec.verdict import Verdict
from windlass.stack.settings import ENVIRONMENTS, UPSTREAM

CODE, MODELS, DATA = "windlass-code", "windlass-models", "windlass-data"
LARGE = 9 * 1024**2
"""Bytes of a file that boto3 sends in parts."""

FILES = {
    "pipelines/read_digits.yml": """\
dag: {name: read_digits, description: Reads digits., tags: [digits]}
tasks:
  extract:
    images: {operator_type: s3_to_file, key: incoming/batch.csv, outputs: {images: images.csv}}
  transform:
    score:
      job:
        resource_flavor: small
        docker_image: python
        execution_time: 5 minutes
        execution_script: cat {model}/digits.txt {images} > {out}
      inputs: {images: extract.images.images, model: "model:digits"}
      outputs: {out: out.csv}
  load:
    keep: {operator_type: deliver, to: digits.csv, inputs: {data: transform.score.out}}
""",
    "models/digits.yml": """\
description: Knows digits.
data: {train: s3://windlass-data/dev/datasets/train.csv}
code: [train.py]
train:
  resource_flavor: small
  docker_image: python
  execution_time: 1 minute
  execution_script: python train.py {train} {model} {metrics}
outputs: {model: digits.txt, metrics: metrics.json}
gates: {accuracy: {at_least: 0.5, not_below: live}}
""",
    "train.py": """\
import json, sys
train, model, metrics = sys.argv[1:]
open(model, "w").write(open(train).read())
json.dump({"accuracy": 0.9}, open(metrics, "w"))
""",
    "environments/base.yml": """\
s3: {code: windlass-code, models: windlass-models, data: windlass-data}
airflow: {url: "http://127.0.0.1:1", username: nobody, password: "${NO_PASSWORD}"}
flavors: {small: {cpus: 1, memory: 1Gi}}
images: {python: "python:3.11-slim"}
""",
    "environments/dev.yml": "extends: base\n",
    "environments/stage.yml": "extends: base\nupstream: dev\n",
    "environments/prod.yml": "extends: base\nupstream: stage\n",
}


class Idle:
    """An Airflow that runs nothing."""

    def dags(self, bundle: str) -> list[DagReport]:
        return []

    def unfinished_runs(self) -> list[Run]:
        return []


class Work:
    """Commands and calls of windlass in a project's folder, by user."""

    def __init__(self, guarded: Guarded, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.guarded, self.folder, self.patch = guarded, folder, patch
        self.commits: list[str] = []
        self.opened: dict[tuple[str, str], Store] = {}
        for path, text in FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        patch.chdir(folder)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.com", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.folder).stdout.strip()

    def commit(self, word: str) -> str:
        """A new commit with another DAG and another model."""
        path = self.folder / "pipelines/read_digits.yml"
        path.write_text(FILES["pipelines/read_digits.yml"].replace("Reads digits.", f"Reads digits {word}."))
        more = path.with_name("second.yml")
        more.unlink(missing_ok=True)
        if word == "second":
            more.write_text(path.read_text().replace("name: read_digits", "name: second"))
        (self.folder / "train.py").write_text(FILES["train.py"] + f"# {word}\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", word)
        self.commits.append(self.git("rev-parse", "HEAD"))
        return self.commits[-1]

    def become(self, user: str) -> None:
        for name, value in self.guarded.variables(user).items():
            self.patch.setenv(name, value)

    def windlass(self, user: str, *arguments: str, code: int = 0) -> str:
        """What the command printed; it must end with `code`."""
        self.become(user)
        self.patch.setattr(sys, "argv", ["windlass", *arguments])
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
        assert int(ended.value.code or 0) == code, (
            f"{user}: windlass {' '.join(arguments)}\n{out.getvalue()}{err.getvalue()}"
        )
        return out.getvalue()

    def place(self, user: str, environment: str) -> Place:
        """The environment as the user sees it."""
        return Place(environment, environment, self.bucket(user, CODE), self.bucket(user, MODELS))

    def bucket(self, user: str, name: str) -> Store:
        """A bucket as the user sees it."""
        if (user, name) not in self.opened:
            self.become(user)
            self.opened[user, name] = open_bucket(name)
        return self.opened[user, name]

    def live(self, user: str, environment: str) -> State:
        place = self.place(user, environment)
        state = load_current(place.code, place.prefix).state
        assert state is not None
        return state


def do_everything(work: Work) -> None:
    """The whole way, twice, and back; then what goes on beside it."""
    put_data(work)
    look_into_emptiness(work)
    for word in ("first", "second", "third"):
        work.commit(word)
        train_and_release(work)
    work.windlass("plan-dev", "plan", "--to", "dev", code=1)
    for environment in ENVIRONMENTS:
        for commit in work.commits[:2]:
            promote(work, environment, commit)
    for environment in ENVIRONMENTS:
        work.windlass(f"deliver-{environment}", "rollback", environment, "--no-verify")
        look(work, environment)
        lay_out(work, environment)
        keep_record(work, environment)
        run_as_airflow(work, environment)
    review(work)
    for environment in reversed(ENVIRONMENTS):
        collect_garbage(work, environment)


def put_data(work: Work) -> None:
    """What people bring by hand: training data, and what pipelines read."""
    data = work.bucket("operator", DATA)
    data.put("dev/datasets/train.csv", b"0.9\n")
    for environment in ENVIRONMENTS:
        data.put(f"{environment}/incoming/old.csv", b"1\n")
        assert data.get(f"{environment}/incoming/old.csv")
        data.delete(f"{environment}/incoming/old.csv")
        data.put(f"{environment}/incoming/batch.csv", b"1\n" * (LARGE // 2))
        upload = begun(work, "operator", DATA, f"{environment}/incoming/stopped.csv")
        work.guarded.client("operator").abort_multipart_upload(**upload)


def look_into_emptiness(work: Work) -> None:
    """Before the first promotion nothing is there, and that is what one reads: not that it is forbidden."""
    for environment in ENVIRONMENTS:
        for user in (f"plan-{environment}", f"deliver-{environment}", f"airflow-{environment}", f"gc-{environment}"):
            place = work.place(user, environment)
            assert load_current(place.code, place.prefix).state is None
        for user in (f"plan-{environment}", f"deliver-{environment}"):
            assert load_version(work.place(user, before(environment)), "digits", "0" * 16) is None
        assert load_owned(work.place(f"apply-{environment}", environment).code, environment).etag is None
        others = [work.place(f"gc-{environment}", other) for other in ENVIRONMENTS]
        for other in others:
            assert load_current(other.code, other.prefix).state is None
            assert list(other.code.list(f"{other.prefix}/ledger/")) == []
        missing = pytest.raises(WindlassError, match="there is no object")
        for user in (f"airflow-{environment}", f"airflow-plain-{environment}"):
            for bucket, key in ((MODELS, "digits/none"), (DATA, "incoming/none.csv")):
                with missing:
                    work.bucket(user, bucket).get(f"{environment}/{key}")
    for user in ("train-dev", "plan-dev", "deliver-dev"):
        work.become(user)
        with pytest.raises(WindlassError, match="there is no object"):
            Downloads().digest("s3://windlass-data/dev/datasets/none.csv")
    place = work.place("train-dev", "dev")
    assert load_current(place.code, place.prefix).state is None


def train_and_release(work: Work) -> None:
    """As the CI jobs of these names."""
    work.windlass("train-dev", "train")
    work.windlass("deliver-dev", "release")
    work.guarded.client("train-dev").abort_multipart_upload(**begun(work, "train-dev", MODELS, "dev/digits/x"))


def promote(work: Work, environment: str, commit: str) -> None:
    """As the CI job, and with a verdict that lets the release go on."""
    user = f"deliver-{environment}"
    work.windlass(f"plan-{environment}", "plan", "--to", environment, "--commit", commit, code=1)
    work.windlass(user, "promote", "--to", environment, "--commit", commit, "--no-verify")
    state, place = work.live(user, environment), work.place(user, environment)
    verdict = Verdict(result="pass", state=state.name, at="2026-11-22T10:00:00Z")
    record_verdict(place, "digits", state.projects["digits"].release, verdict)
    assert not [*work.bucket(user, DATA).list(f"{environment}/delivered/digits.csv")], "as a verification looks for it"
    if environment != "dev":
        client = work.guarded.client(user)
        version = state.projects["digits"].models["digits"]
        upstream = before(environment)
        key = f"digits/{version}/model.json"
        client.get_object_tagging(Bucket=MODELS, Key=f"{upstream}/{key}")  # AWS asks for these two in a copy
        client.put_object_tagging(Bucket=MODELS, Key=f"{environment}/{key}", Tagging={"TagSet": []})
        client.abort_multipart_upload(**begun(work, user, MODELS, f"{environment}/digits/x"))


def review(work: Work) -> None:
    """As the jobs of a merge request, and who looks at what they made."""
    work.windlass("deliver-dev", "review", "up", "--iid", "7", "--no-verify")
    assert "digits !7" in work.windlass("plan-dev", "review", "list")
    work.windlass("deliver-dev", "review", "down", "--iid", "7")


def look(work: Work, environment: str) -> None:
    """As everybody who only looks."""
    user = f"plan-{environment}"
    assert json.loads(work.windlass(user, "status", environment, before(environment), "--json"))
    assert work.windlass(user, "diff", f"{before(environment)}@1", f"{environment}@2", code=1)
    assert "rollback" in work.windlass(user, "history", environment)
    work.windlass(user, "history", environment, "--verify")
    assert "deployments" in work.windlass(user, "metrics", "--env", environment)
    if environment != "dev":
        work.windlass(f"plan-all-{environment}", "plan", "--to", environment, code=1)


def lay_out(work: Work, environment: str) -> None:
    """A plain layout: files are laid out and, by a rollback, taken away again; a stock bundle reads them."""
    user, file = f"deliver-plain-{environment}", work.folder / f"environments/{environment}.yml"
    file.write_text(file.read_text() + "bundle: plain\n")
    work.windlass(user, "promote", "--to", environment, "--commit", work.commits[1], "--no-verify")
    stock, extra = work.guarded.client(f"airflow-plain-{environment}"), f"{environment}/dags/digits/dags/second.py"
    stock.head_bucket(Bucket=CODE)
    assert stock.list_objects_v2(Bucket=CODE, Prefix=f"{environment}/", Delimiter="/")["CommonPrefixes"]
    assert b"DAG(" in stock.get_object(Bucket=CODE, Key=extra)["Body"].read()
    work.bucket("operator", CODE).put(extra, b"altered by hand\n")
    work.windlass(user, "promote", "--to", environment, "--commit", work.commits[1], "--no-verify")
    assert b"DAG(" in stock.get_object(Bucket=CODE, Key=extra)["Body"].read(), "an own file is put right"
    work.windlass(user, "rollback", environment, "--no-verify")
    left = [one["Key"] for one in stock.list_objects_v2(Bucket=CODE, Prefix=f"{environment}/dags/")["Contents"]]
    assert left
    assert extra not in left
    file.write_text(file.read_text().replace("bundle: plain\n", ""))


def keep_record(work: Work, environment: str) -> None:
    """As `windlass env apply`."""
    store = work.place(f"apply-{environment}", environment).code
    owned = load_owned(store, environment)
    etag = save_owned(store, environment, owned.owned, owned.etag)
    assert save_owned(store, environment, load_owned(store, environment).owned.model_copy(update={"writer": "x"}), etag)


def run_as_airflow(work: Work, environment: str) -> None:
    """As ReleaseBundle and the operators."""
    for user in (f"airflow-{environment}", f"airflow-plain-{environment}"):
        settings = Settings(environment, environment, DATA, MODELS, None, "local", {}, {}, {})
        storage = Storage(client=work.guarded.client(user))
        is_stock = user.startswith("airflow-plain")
        state = work.live(f"plan-{environment}", environment) if is_stock else stage_as_bundle(work, user, environment)
        version = state.projects["digits"].models["digits"]
        here = work.folder / ".git"
        fetch_model(storage, settings, "model", f"model:digits@{version}", here / f"model-{user}")
        storage.fetch(DATA, f"{environment}/incoming/batch.csv", here / "batch.csv")
        kept = storage.keep(
            DATA, f"{environment}/transfer/read_digits/run/extract.images/1-0/{user}", here / "batch.csv"
        )
        storage.fetch(DATA, kept["key"], here / "again.csv", kept["sha256"])
        storage.copy(DATA, kept["key"], f"{environment}/delivered/digits.csv", kept["size"])
        client, delivered = work.guarded.client(user), f"{environment}/delivered/digits.csv"
        client.get_object_tagging(Bucket=DATA, Key=kept["key"])  # AWS asks for these two in a copy
        client.put_object_tagging(Bucket=DATA, Key=delivered, Tagging={"TagSet": []})
        written = [kept["key"], delivered]
        if environment not in UPSTREAM:  # file_to_s3 of a review
            written.append(f"{environment}/{FOLDER}/digits_mr7/reference/digits.csv")
            storage.copy(DATA, kept["key"], written[-1], kept["size"])
        for key in written:
            client.abort_multipart_upload(**begun(work, user, DATA, key))
        assert [one.size for one in work.bucket(user, DATA).list_objects(delivered)] == [LARGE]


def stage_as_bundle(work: Work, user: str, environment: str) -> State:
    """What ReleaseBundle reads of the code bucket."""
    place = work.place(user, environment)
    state = work.live(user, environment)
    live = state.projects["digits"]
    assert load_named(place.code, environment, state.previous or "").serial == state.serial - 1
    assert load_release(place, "digits", live.release).digest == live.release
    assert place.code.get(f"{environment}/provenance/digits/{live.release}/{live.commit}.json")
    return state


def collect_garbage(work: Work, environment: str) -> None:
    """As `windlass gc`, with everything old enough to go: what is live in no environment, and a state that lost."""
    user = f"gc-{environment}"
    loser = f"{environment}/states/2-0123456789ab.json"
    orphan = f"{environment}/digits/0123456789abcdef/files/0123456789abcdef/digits.txt"
    unused = f"{environment}/releases/digits/{'0' * 64}.tar.gz"
    origin = f"{environment}/provenance/digits/{'0' * 64}/{'1' * 40}.json"
    code, models = work.bucket("operator", CODE), work.bucket("operator", MODELS)
    third = next(key for key in code.list("dev/provenance/digits/") if work.commits[2] in key).split("/")[3]
    name = f"releases/digits/{third}.tar.gz"
    code.put(f"{environment}/{name}", code.get(f"dev/{name}").content)  # as a promotion that stopped half-way
    everywhere = [work.place(user, one) for one in ENVIRONMENTS]
    own = next(place for place in everywhere if place.name == environment)
    decide = deciding_gc(own, everywhere, Idle(), "windlass", Rules(2, datetime.now(UTC) - timedelta(hours=1)))
    assert not decide()[0].removals, "all of it is young"
    for key in (loser, unused, origin):
        code.put(key, b"{}", if_absent=True)
    models.put(orphan, b"x")
    rules = Rules(2, datetime.now(UTC) + timedelta(hours=1))
    removed = perform_gc(deciding_gc(own, everywhere, Idle(), "windlass", rules), own)
    gone = {key for unit in removed for key in unit.keys}
    assert {loser, orphan, unused, origin} <= gone
    assert not gone & {*work.place("operator", environment).code.list(f"{environment}/")}


def before(environment: str) -> str:
    """The environment before, or the first itself."""
    return UPSTREAM.get(environment, environment)


def begun(work: Work, user: str, bucket: str, key: str) -> dict[str, Any]:
    """A multipart upload that was begun and is now to be stopped."""
    upload: Callable[..., dict[str, Any]] = work.guarded.client(user).create_multipart_upload
    return {"Bucket": bucket, "Key": key, "UploadId": upload(Bucket=bucket, Key=key)["UploadId"]}
