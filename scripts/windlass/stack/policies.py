"""Who may do what in S3: one user per Airflow, one per delivery into an environment, and the operator."""

from typing import Any

from .settings import ENVIRONMENTS, UPSTREAM

CODE, MODELS, DATA = BUCKETS = ("windlass-code", "windlass-models", "windlass-data")

READ = ["s3:GetObject", "s3:GetObjectTagging"]
WRITE = ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"]
DELETE = ["s3:DeleteObject"]

Policy = dict[str, Any]


def users() -> dict[str, Policy]:
    """Every user with the policy that it has."""
    policies = {"operator": operator()}
    for environment in ENVIRONMENTS:
        policies[f"airflow-{environment}"] = airflow(environment)
        policies[f"deliver-{environment}"] = deliver(environment, UPSTREAM.get(environment))
    return policies


def airflow(environment: str) -> Policy:
    """An Airflow instance reads its code and models, and reads and writes its data."""
    return _policy(
        _objects(READ, [CODE, MODELS], environment),
        _objects([*READ, *WRITE, *DELETE], [DATA], environment),
        _listing(BUCKETS, [environment]),
    )


def deliver(environment: str, upstream: str | None) -> Policy:
    """What the jobs of an environment use; where there is no upstream, they also train, and the data is there."""
    statements = [_objects([*READ, *WRITE], [CODE, MODELS], environment)]
    if upstream is None:
        statements.append(_objects([*READ, *WRITE], [DATA], environment))
        statements.append(_listing(BUCKETS, [environment]))
    else:
        statements.append(_objects(READ, [CODE, MODELS], upstream))
        statements.append(_listing([CODE, MODELS], [environment, upstream]))
    return _policy(*statements)


def operator() -> Policy:
    """The person at the terminal reads everything and writes in every environment."""
    return _policy(
        *(_objects([*READ, *WRITE, *DELETE], BUCKETS, environment) for environment in ENVIRONMENTS),
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": _arns(BUCKETS)},
    )


def _policy(*statements: dict[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _objects(actions: list[str], buckets: list[str] | tuple[str, ...], environment: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [f"{a}/{environment}/*" for a in _arns(buckets)]}


def _listing(buckets: list[str] | tuple[str, ...], environments: list[str]) -> dict[str, Any]:
    prefixes = [f"{environment}/*" for environment in environments]
    return {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": _arns(buckets),
        "Condition": {"StringLike": {"s3:prefix": prefixes}},
    }


def _arns(buckets: list[str] | tuple[str, ...]) -> list[str]:
    return [f"arn:aws:s3:::{bucket}" for bucket in buckets]
