"""The S3 server enforces keys and prefixes, and keeps data and users whatever happens to its process."""

import json
import os
import signal
import time
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
    ("deliver-dev", "put", CODE, "dev/releases/x", True),
    ("deliver-dev", "put", MODELS, "dev/x", True),
    ("deliver-dev", "put", DATA, "dev/x", False),
    ("deliver-dev", "put", CODE, "prod/releases/x", False),
    ("deliver-dev", "put", CODE, "development/releases/x", False),
    ("deliver-dev", "get", CODE, "stage/releases/x", False),
    ("deliver-dev", "delete", CODE, "dev/releases/x", False),
    ("deliver-stage", "get", CODE, "dev/releases/x", True),
    ("deliver-stage", "put", CODE, "dev/releases/x", False),
    ("deliver-prod", "get", CODE, "stage/releases/x", True),
    ("deliver-prod", "get", CODE, "dev/releases/x", False),
    ("airflow-dev", "get", CODE, "dev/releases/x", True),
    ("airflow-dev", "put", CODE, "dev/releases/x", False),
    ("airflow-dev", "put", DATA, "dev/transfer/x", True),
    ("airflow-prod", "get", CODE, "dev/releases/x", False),
    ("operator", "get", DATA, "prod/x", True),
    ("operator", "put", CODE, "prod/releases/x", True),
]
"""That the documents are in place; tests/iam has what each of them allows and refuses."""


@pytest.fixture(scope="module")
def filled(small_stack: Stack) -> Stack:
    """An object of each environment in each bucket."""
    operator = client(small_stack, "operator")
    for environment in ("dev", "stage", "prod"):
        for bucket, key in ((CODE, "releases/x"), (MODELS, "x"), (DATA, "x")):
            operator.put_object(Bucket=bucket, Key=f"{environment}/{key}", Body=b"1")
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
    assert outcome(client(filled, "deliver-dev").list_objects_v2, Bucket=CODE, Prefix=prefix) == expected


def test_an_object_that_is_not_there_is_told_apart_from_one_that_is_forbidden(filled: Stack) -> None:
    stage = client(filled, "deliver-stage")
    assert outcome(stage.get_object, Bucket=CODE, Key="stage/releases/nothing") == "NoSuchKey"
    assert outcome(stage.get_object, Bucket=CODE, Key="dev/releases/nothing") == "NoSuchKey"
    assert outcome(stage.get_object, Bucket=CODE, Key="prod/releases/nothing") == "AccessDenied"


def test_wrong_secrets_and_unknown_keys_are_refused_those_of_the_emulator_too(filled: Stack) -> None:
    known = filled.credentials("deliver-dev").access_key_id
    tried = [(known, "wrong"), ("AKIANOBODY", "x"), ("test", "test"), ("000000000000", "test")]
    found = []
    for key, secret in tried:
        credentials = Credentials(access_key_id=key, secret_access_key=secret)
        s3 = object_store.client(filled.settings(), credentials)
        found.append(outcome(s3.get_object, Bucket=CODE, Key="dev/releases/x"))
    assert found == ["SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidAccessKeyId", "InvalidAccessKeyId"]


def test_nobody_without_a_key_reads_or_resets(filled: Stack) -> None:
    url = filled.url("s3")
    assert requests.get(f"{url}/{CODE}/dev/releases/x", timeout=5).status_code == 403
    for path in ("/_ministack/reset", "/%5Fministack/reset", "/_localstack/state/reset"):
        assert requests.post(url + path, timeout=5).status_code == 403
    assert outcome(client(filled, "operator").get_object, Bucket=CODE, Key="dev/releases/x") == "done"


def test_files_between_tasks_and_those_of_reviews_expire_and_only_they(filled: Stack) -> None:
    s3 = object_store.client(filled.settings(), filled.settings().root)
    rules = s3.get_bucket_lifecycle_configuration(Bucket=DATA)["Rules"]
    assert {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules if "Expiration" in rule} == {
        "dev/transfer/": 7,
        "stage/transfer/": 7,
        "prod/transfer/": 7,
        "dev/delivered/windlass-reviews/": 30,
        "dev/windlass-reviews/": 30,
    }


def test_the_ledger_is_written_once_by_whomever(filled: Stack) -> None:
    for user in ("deliver-dev", "operator"):
        put = client(filled, user).put_object
        assert outcome(put, Bucket=CODE, Key=f"dev/ledger/{user}.json", IfNoneMatch="*") == "done"
        assert outcome(put, Bucket=CODE, Key=f"dev/ledger/{user}.json", IfNoneMatch="*") == "PreconditionFailed"
        assert outcome(put, Bucket=CODE, Key=f"dev/ledger/{user}.json") == "AccessDenied"


def test_what_an_earlier_stack_allowed_is_taken_back(filled: Stack) -> None:
    settings = filled.settings()
    iam = object_store.client(settings, settings.root, "iam")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="deliver-dev", PolicyName="windlass", PolicyDocument=json.dumps(everything))
    assert outcome(client(filled, "deliver-dev").get_object, Bucket=CODE, Key="prod/releases/x") == "done"
    object_store.provision(settings)
    assert outcome(client(filled, "deliver-dev").get_object, Bucket=CODE, Key="prod/releases/x") == "AccessDenied"


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_data_users_and_preconditions_survive_when_the_server_is(filled: Stack, how: str) -> None:
    deliver = client(filled, "deliver-dev")
    tag = deliver.put_object(Bucket=CODE, Key=f"dev/releases/{how}", Body=b"one")["ETag"]
    keys = filled.settings().users
    if how == "killed":
        os.kill(filled.settings().processes["s3"].pid, signal.SIGKILL)
        deadline = time.monotonic() + 15  # the kernel ends a process some time after kill has returned
        while filled.status()[0].state != "stopped":
            assert time.monotonic() < deadline
    else:
        filled.down()
    filled.up()
    assert filled.settings().users == keys
    assert deliver.get_object(Bucket=CODE, Key=f"dev/releases/{how}")["Body"].read() == b"one"
    swap = {"Bucket": CODE, "Key": f"dev/releases/{how}", "Body": b"two"}
    assert outcome(deliver.put_object, **swap, IfNoneMatch="*") == "PreconditionFailed"
    assert outcome(deliver.put_object, **swap, IfMatch='"0123"') == "PreconditionFailed"
    assert outcome(deliver.put_object, **swap, IfMatch=tag) == "done"
