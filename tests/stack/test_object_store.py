"""The S3 server enforces keys and prefixes, and keeps data and users whatever happens to its process."""

import os
import signal
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from windlass.stack import object_store
from windlass.stack.policies import CODE, DATA, MODELS
from windlass.stack.settings import Credentials
from windlass.stack.stack import Stack

pytestmark = pytest.mark.stack


def client(stack: Stack, user: str) -> Any:
    return object_store.client(stack.settings(), stack.credentials(user))


def outcome(call: Any, **arguments: Any) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


MAY = [
    ("deliver-dev", "put", CODE, "dev/x", True),
    ("deliver-dev", "put", MODELS, "dev/x", True),
    ("deliver-dev", "put", DATA, "dev/x", True),
    ("deliver-dev", "put", CODE, "prod/x", False),
    ("deliver-dev", "put", CODE, "stage/x", False),
    ("deliver-dev", "put", CODE, "development/x", False),
    ("deliver-dev", "get", CODE, "stage/x", False),
    ("deliver-dev", "delete", CODE, "dev/x", False),
    ("deliver-stage", "get", CODE, "dev/x", True),
    ("deliver-stage", "get", MODELS, "dev/x", True),
    ("deliver-stage", "put", CODE, "dev/x", False),
    ("deliver-stage", "get", DATA, "stage/x", False),
    ("deliver-prod", "get", CODE, "stage/x", True),
    ("deliver-prod", "get", CODE, "dev/x", False),
    ("deliver-prod", "put", CODE, "prod/x", True),
    ("airflow-dev", "get", CODE, "dev/x", True),
    ("airflow-dev", "put", CODE, "dev/x", False),
    ("airflow-dev", "put", MODELS, "dev/x", False),
    ("airflow-dev", "put", DATA, "dev/x", True),
    ("airflow-dev", "put", DATA, "prod/x", False),
    ("airflow-prod", "get", CODE, "dev/x", False),
    ("operator", "get", DATA, "prod/x", True),
    ("operator", "put", CODE, "prod/x", True),
]


@pytest.fixture(scope="module")
def filled(small_stack: Stack) -> Stack:
    """An object `<env>/x` in each bucket."""
    operator = client(small_stack, "operator")
    for bucket in (CODE, MODELS, DATA):
        for environment in ("dev", "stage", "prod"):
            operator.put_object(Bucket=bucket, Key=f"{environment}/x", Body=b"1")
    return small_stack


@pytest.mark.parametrize(("user", "action", "bucket", "key", "allowed"), MAY)
def test_each_user_may_do_what_its_work_needs(
    filled: Stack, user: str, action: str, bucket: str, key: str, allowed: bool
) -> None:
    call = getattr(client(filled, user), f"{action}_object")
    assert outcome(call, Bucket=bucket, Key=key) == ("done" if allowed else "AccessDenied")


@pytest.mark.parametrize(
    ("prefix", "expected"), [("dev/", "done"), ("dev/a", "done"), ("prod/", "AccessDenied"), ("", "AccessDenied")]
)
def test_listing_stays_within_the_prefix(filled: Stack, prefix: str, expected: str) -> None:
    assert outcome(client(filled, "airflow-dev").list_objects_v2, Bucket=CODE, Prefix=prefix) == expected


def test_an_object_that_is_not_there_is_told_apart_from_one_that_is_forbidden(filled: Stack) -> None:
    stage = client(filled, "deliver-stage")
    assert outcome(stage.get_object, Bucket=CODE, Key="stage/nothing") == "NoSuchKey"
    assert outcome(stage.get_object, Bucket=CODE, Key="dev/nothing") == "NoSuchKey"
    assert outcome(stage.get_object, Bucket=CODE, Key="prod/nothing") == "AccessDenied"


def test_wrong_secrets_and_unknown_keys_are_refused_those_of_the_emulator_too(filled: Stack) -> None:
    known = filled.credentials("deliver-dev").access_key_id
    tried = [(known, "wrong"), ("AKIANOBODY", "x"), ("test", "test"), ("000000000000", "test")]
    found = []
    for key, secret in tried:
        credentials = Credentials(access_key_id=key, secret_access_key=secret)
        s3 = object_store.client(filled.settings(), credentials)
        found.append(outcome(s3.get_object, Bucket=CODE, Key="dev/x"))
    assert found == ["SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidAccessKeyId", "InvalidAccessKeyId"]


def test_nobody_without_a_key_reads_or_resets(filled: Stack) -> None:
    url = filled.url("s3")
    assert requests.get(f"{url}/{CODE}/dev/x", timeout=5).status_code == 403
    for path in ("/_ministack/reset", "/%5Fministack/reset", "/_localstack/state/reset"):
        assert requests.post(url + path, timeout=5).status_code == 403
    assert outcome(client(filled, "operator").get_object, Bucket=CODE, Key="dev/x") == "done"


def test_transfer_files_expire_and_only_they(filled: Stack) -> None:
    s3 = object_store.client(filled.settings(), filled.settings().root)
    rules = s3.get_bucket_lifecycle_configuration(Bucket=DATA)["Rules"]
    assert sorted(rule["Filter"]["Prefix"] for rule in rules) == ["dev/transfer/", "prod/transfer/", "stage/transfer/"]


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_data_users_and_preconditions_survive_when_the_server_is(filled: Stack, how: str) -> None:
    deliver = client(filled, "deliver-dev")
    tag = deliver.put_object(Bucket=CODE, Key=f"dev/state-{how}", Body=b"one")["ETag"]
    keys = filled.settings().users
    if how == "killed":
        os.kill(filled.settings().processes["s3"].pid, signal.SIGKILL)
    else:
        filled.down()
    filled.up()
    assert filled.settings().users == keys
    assert deliver.get_object(Bucket=CODE, Key=f"dev/state-{how}")["Body"].read() == b"one"
    swap = {"Bucket": CODE, "Key": f"dev/state-{how}", "Body": b"two"}
    assert outcome(deliver.put_object, **swap, IfNoneMatch="*") == "PreconditionFailed"
    assert outcome(deliver.put_object, **swap, IfMatch='"0123"') == "PreconditionFailed"
    assert outcome(deliver.put_object, **swap, IfMatch=tag) == "done"
