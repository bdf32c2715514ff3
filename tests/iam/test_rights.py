"""The documents of docs/iam.md allow all of windlass's work, nothing that none of it needs, and nothing forbidden."""

import json
import os

import pytest
from botocore.exceptions import ClientError

from tests.iam import page
from tests.iam.conftest import Guarded
from tests.iam.questions import Question, is_allowed, without_each_part
from tests.iam.work import CODE, DATA, MODELS, Work, do_everything
from windlass.stack import object_store
from windlass.stack.settings import ENVIRONMENTS

pytestmark = pytest.mark.stack  # one server, and all the work done once: see TOGETHER in tests/conftest.py

Asked = dict[str, set[Question]]


@pytest.fixture(scope="module")
def asked(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What each user asked for while all the work was done; nothing of it was refused."""
    patch = pytest.MonkeyPatch()
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI", "GITLAB", "WINDLASS"))]:
        patch.delenv(name)
    patch.setenv("USER", "ann")
    do_everything(Work(guarded, tmp_path_factory.mktemp("work") / "digits", patch))
    patch.undo()
    found = guarded.asked()
    jobs = {one for user, every in found.items() if not user.startswith("airflow") for one in every}
    found["operator"] |= {one for one in jobs if "Tagging" not in one.action}
    return found


def documents_of(guarded: Guarded, user: str) -> dict[str, dict[str, object]]:
    return {name: guarded.documents[name] for name in guarded.users[user]}


def test_all_work_is_done_under_the_documents_of_the_page(guarded: Guarded, asked: Asked) -> None:
    for user, questions in asked.items():
        assert questions, f"{user} did nothing"
        refused = [str(one) for one in questions if not is_allowed(one, documents_of(guarded, user).values())]
        assert not refused, f"{user}: {refused}"
    print(f"\n{sum(map(len, asked.values()))} different requests of {len(asked)} users")


def test_no_document_has_a_part_that_nothing_needs(guarded: Guarded, asked: Asked) -> None:
    needless, tried = [], 0
    for name, document in guarded.documents.items():
        users = [user for user, names in guarded.users.items() if name in names]
        for part, smaller in without_each_part(document):
            tried += 1
            if not any(
                not is_allowed(one, (documents_of(guarded, user) | {name: smaller}).values())
                for user in users
                for one in asked[user]
            ):
                needless.append(f"{name}: {part}")
    print(f"\n{tried} parts taken out, one at a time")
    assert not needless, "\n".join(needless)


FORBIDDEN = [
    # user, what it tries, and where
    *(
        ("train-dev", "put", CODE, f"dev/{key}")
        for key in ("state.json", "states/1-x.json", "releases/x", "ledger/1.json")
    ),
    ("train-dev", "get", CODE, "dev/releases/x"),
    ("train-dev", "put", MODELS, "stage/digits/x"),
    ("train-dev", "delete", MODELS, "dev/digits/x"),
    ("train-dev", "put", DATA, "dev/datasets/train.csv"),
    ("train-dev", "get", DATA, "dev/delivered/x"),
    ("train-dev", "list", CODE, "dev/"),
    ("deliver-dev", "put", MODELS, "dev/digits/x"),
    ("deliver-dev", "put", CODE, "stage/state.json"),
    ("deliver-dev", "get", CODE, "stage/state.json"),
    ("deliver-dev", "put", CODE, "development/state.json"),
    ("deliver-dev", "put", CODE, "dev/owned.json"),
    ("deliver-dev", "put", CODE, "dev/dags/x.py"),
    ("deliver-dev", "put", DATA, "dev/transfer/x"),
    ("deliver-dev", "get", DATA, "dev/delivered/x"),
    *(
        ("deliver-prod", "delete", CODE, f"prod/{key}")
        for key in ("state.json", "ledger/1.json", "states/1-x.json", "releases/x")
    ),
    ("deliver-prod", "delete", MODELS, "prod/digits/x"),
    ("deliver-prod", "put", CODE, "stage/state.json"),
    ("deliver-prod", "put", CODE, "stage/verdicts/digits/x.json"),
    ("deliver-prod", "put", MODELS, "stage/digits/x"),
    ("deliver-prod", "get", CODE, "dev/state.json"),
    ("deliver-prod", "get", CODE, "stage/owned.json"),
    ("deliver-prod", "get", DATA, "prod/delivered/x"),
    ("deliver-prod", "list", CODE, ""),
    ("deliver-plain-prod", "delete", CODE, "prod/plain/digits.json"),
    ("deliver-plain-prod", "delete", CODE, "prod/releases/x"),
    ("deliver-plain-prod", "put", CODE, "stage/dags/x.py"),
    *(("plan-all-prod", "put", bucket, f"{one}/x") for bucket in (CODE, MODELS, DATA) for one in ENVIRONMENTS),
    ("plan-prod", "delete", CODE, "prod/releases/x"),
    ("plan-prod", "get", CODE, "prod/owned.json"),
    ("plan-prod", "get", CODE, "dev/state.json"),
    ("apply-prod", "put", CODE, "prod/state.json"),
    ("apply-prod", "get", CODE, "stage/owned.json"),
    ("apply-prod", "delete", CODE, "prod/owned.json"),
    *(
        ("gc-prod", "delete", CODE, f"prod/{key}")
        for key in ("state.json", "ledger/1.json", "verdicts/x", "owned.json")
    ),
    *(("gc-prod", "put", CODE, f"prod/{key}") for key in ("state.json", "ledger/9.json", "releases/x")),
    ("gc-prod", "put", MODELS, "prod/digits/x"),
    ("gc-prod", "delete", CODE, "stage/releases/x"),
    ("gc-prod", "delete", DATA, "prod/delivered/x"),
    *(("airflow-prod", "put", bucket, "prod/x") for bucket in (CODE, MODELS, DATA)),
    ("airflow-prod", "put", CODE, "prod/state.json"),
    ("airflow-prod", "put", DATA, "prod/incoming/x"),
    ("airflow-prod", "put", DATA, "stage/transfer/x"),
    ("airflow-prod", "delete", DATA, "prod/delivered/x"),
    ("airflow-prod", "get", CODE, "prod/ledger/1.json"),
    ("airflow-prod", "get", CODE, "prod/owned.json"),
    ("airflow-prod", "get", CODE, "dev/state.json"),
    ("airflow-prod", "get", DATA, "dev/incoming/batch.csv"),
    ("airflow-plain-prod", "get", CODE, "prod/state.json"),
    ("airflow-plain-prod", "put", CODE, "prod/dags/x.py"),
    ("airflow-plain-prod", "get", CODE, "stage/dags/x.py"),
    ("operator", "delete", CODE, "prod/state.json"),
    ("operator", "delete", CODE, "prod/ledger/1.json"),
    ("operator", "delete", CODE, "prod/verdicts/x"),
    ("operator", "put", CODE, "elsewhere/state.json"),
]


def attempt(guarded: Guarded, user: str, what: str, bucket: str, key: str, **more: str) -> str:
    """What S3 answers."""
    client = guarded.client(user)
    calls = {"put": client.put_object, "get": client.get_object, "delete": client.delete_object}
    try:
        if what == "list":
            client.list_objects_v2(Bucket=bucket, Prefix=key)
        else:
            calls[what](Bucket=bucket, Key=key, **more)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(("user", "what", "bucket", "key"), FORBIDDEN, ids=lambda part: str(part))
def test_what_nobody_needs_is_refused(guarded: Guarded, user: str, what: str, bucket: str, key: str) -> None:
    assert (
        attempt(guarded, user, what, bucket, key, **({"IfNoneMatch": "*"} if what == "put" else {})) == "AccessDenied"
    )


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("user", ["deliver-prod", "operator"])
def test_history_is_written_once_and_pointers_only_by_compare_and_swap(guarded: Guarded, user: str) -> None:
    client = guarded.client(user)
    etag = client.get_object(Bucket=CODE, Key="prod/ledger/1.json")["ETag"]
    state = client.list_objects_v2(Bucket=CODE, Prefix="prod/states/")["Contents"][0]["Key"]
    for key in ("prod/ledger/1.json", "prod/ledger/99.json", state):
        assert attempt(guarded, user, "put", CODE, key) == "AccessDenied"
    assert attempt(guarded, user, "put", CODE, "prod/ledger/1.json", IfMatch=etag) == "AccessDenied"
    assert attempt(guarded, user, "put", CODE, "prod/ledger/1.json", IfNoneMatch="*") == "PreconditionFailed"
    provenance = client.list_objects_v2(Bucket=CODE, Prefix="prod/provenance/")["Contents"][0]["Key"]
    for key in ("prod/state.json", provenance, "prod/verdicts/digits/x.json"):
        assert attempt(guarded, user, "put", CODE, key) == "AccessDenied"
    assert attempt(guarded, user, "put", CODE, "prod/state.json", IfMatch='"0"') == "PreconditionFailed"


def test_no_part_of_a_bucket_policy_is_there_in_vain() -> None:
    """Without it the operator could do what it forbids."""
    everything = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    for statement in page.documents("bucket-")["code"]["Statement"]:
        if statement["Sid"] == "OnlyTLS":
            continue
        for resource in statement["Resource"]:
            one = Question(statement["Action"], resource.replace("*", "x"))
            assert not is_allowed(one, [everything, {"Statement": [statement]}])
            without = statement | {"Resource": [other for other in statement["Resource"] if other != resource]}
            assert is_allowed(one, [everything, {"Statement": [without]}])


def test_a_bucket_that_asks_for_tls_refuses_plain_http(guarded: Guarded) -> None:
    root = object_store.client(guarded.settings, guarded.settings.root)
    whole = {bucket: page.documents("bucket-")[bucket.removeprefix("windlass-")] for bucket in (CODE, MODELS, DATA)}
    try:
        for bucket, policy in whole.items():
            root.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
            assert attempt(guarded, "operator", "get", bucket, "dev/x") == "AccessDenied"
    finally:
        for bucket in whole:
            root.delete_bucket_policy(Bucket=bucket)
        object_store.provision(guarded.settings, guarded.documents, guarded.users)
