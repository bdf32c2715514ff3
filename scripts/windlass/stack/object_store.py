"""The stack's S3 server: ministack with enforced credentials and data on disk, its buckets, users and policies."""

import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from windlass.spec.errors import ServiceError, TransientError, WindlassError
from windlass.spec.review import FOLDER

from . import policies
from .service import Service, answers
from .settings import ENVIRONMENTS, REGION, Credentials, Settings

TRANSFER_DAYS = 7
REVIEW_DAYS = 30
ABANDONED_DAYS = 2
PREVIOUS_DAYS = 90


def service(home: Path, settings: Settings) -> Service:
    """How the S3 server is started."""
    if importlib.util.find_spec("ministack") is None:
        raise WindlassError("the stack's S3 server (ministack) is not installed: pip install 'windlass[stack]'")
    folder = home / "s3"
    environment = {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.ports["s3"]),
        "SERVICES": "s3,iam,sts",
        "AWS_ACCESS_KEY_ID": settings.root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.root.secret_access_key,
        "MINISTACK_REGION": REGION,
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "data"),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder),
        "IOT_MTLS_ENABLED": "0",  # or it listens on port 8883 of every interface
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    return Service(
        name="s3",
        url=settings.url("s3"),
        command=[sys.executable, "-m", "windlass.stack.s3_server"],
        environment=environment,
        folder=folder,
        log=home / "logs" / "s3.log",
        ailing=lambda: answers(f"{settings.url('s3')}/_ministack/health"),
        patience=60,
    )


def client(settings: Settings, credentials: Credentials, name: str = "s3") -> Any:
    """A boto3 client of the stack's server, whatever AWS settings the caller has."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        name,
        endpoint_url=settings.url("s3"),
        region_name=REGION,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, proxies={}),
    )


def provision(
    settings: Settings,
    documents: Mapping[str, policies.Policy] | None = None,
    users: Mapping[str, Iterable[str]] | None = None,
    bucket_policies: Mapping[str, policies.Policy] | None = None,
) -> dict[str, Credentials]:
    """The users with their keys, after buckets, lifecycle rules, users and policies are as they should be."""
    known = documents or policies.documents()
    with _translated(settings):
        _buckets(client(settings, settings.root), bucket_policies or policies.bucket_policies())
        iam = client(settings, settings.root, "iam")
        return {
            user: _user(iam, user, {name: known[name] for name in names}, settings.users.get(user))
            for user, names in (users or policies.users()).items()
        }


def lifecycle() -> dict[str, dict[str, Any]]:
    """The lifecycle rules of each bucket by its name, as `put-bucket-lifecycle-configuration` takes them."""
    abandoned = _rule("abandoned-uploads", "", AbortIncompleteMultipartUpload={"DaysAfterInitiation": ABANDONED_DAYS})
    previous = _rule("previous-versions", "", NoncurrentVersionExpiration={"NoncurrentDays": PREVIOUS_DAYS})
    transfer = [
        _rule(f"{one}-transfer", f"{one}/transfer/", Expiration={"Days": TRANSFER_DAYS}) for one in ENVIRONMENTS
    ]
    first, kept = ENVIRONMENTS[0], {"Days": REVIEW_DAYS}
    reviews = [
        _rule(f"{first}-reviews-delivered", f"{first}/delivered/{FOLDER}/", Expiration=kept),
        _rule(f"{first}-reviews", f"{first}/{FOLDER}/", Expiration=kept),
    ]
    return {
        policies.CODE: {"Rules": [previous]},
        policies.MODELS: {"Rules": [abandoned, previous]},
        policies.DATA: {"Rules": [*transfer, *reviews, abandoned]},
    }


def _rule(name: str, prefix: str, **what: dict[str, int]) -> dict[str, Any]:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, **what}


def _buckets(s3: Any, bucket_policies: Mapping[str, policies.Policy]) -> None:
    there = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in policies.BUCKETS:
        if bucket not in there:
            s3.create_bucket(Bucket=bucket)
    for bucket, rules in lifecycle().items():
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)
    for bucket, policy in bucket_policies.items():
        here = policies.without_tls(policy)
        if here["Statement"]:
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(here))


def _user(iam: Any, user: str, documents: Mapping[str, policies.Policy], known: Credentials | None) -> Credentials:
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=user)
    for name, document in documents.items():
        iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=json.dumps(document))
    for name in iam.list_user_policies(UserName=user)["PolicyNames"]:
        if name not in documents:  # of an earlier stack
            iam.delete_user_policy(UserName=user, PolicyName=name)
    keys = [key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]
    if known is not None and known.access_key_id in keys:
        return known
    for key in keys:  # a key whose secret nobody knows any more
        iam.delete_access_key(UserName=user, AccessKeyId=key)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return Credentials(access_key_id=made["AccessKeyId"], secret_access_key=made["SecretAccessKey"])


@contextmanager
def _translated(settings: Settings) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise ServiceError(f"the stack's S3 server at {settings.url('s3')} refused: {error}") from error
    except BotoCoreError as error:
        raise TransientError(f"the stack's S3 server at {settings.url('s3')} did not answer: {error}") from error
