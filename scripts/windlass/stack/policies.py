"""Who may do what in S3, as the IAM documents of docs/iam.md: least privilege for each kind of work in an environment.

docs/iam.md shows these very documents, the local stack enforces them, and tests/iam runs windlass under each of them.
"""

from collections.abc import Iterable
from typing import Any

from windlass.spec.review import FOLDER

from .settings import ENVIRONMENTS, UPSTREAM

CODE, MODELS, DATA = BUCKETS = ("windlass-code", "windlass-models", "windlass-data")

GET, PUT, DELETE = "s3:GetObject", "s3:PutObject", "s3:DeleteObject"
ABORT = "s3:AbortMultipartUpload"
GET_TAGS, PUT_TAGS = "s3:GetObjectTagging", "s3:PutObjectTagging"

STATES = ("state.json", "states/*")
RELEASES = ("releases/*", "provenance/*")
RECORDS = ("ledger/*", "verdicts/*")
LAYOUT = ("dags/*", "plain/*")
TASK_FILES = ("transfer/*", "delivered/*")
TRAINING_DATA = "datasets/*"
"""Where the data bucket of the first environment keeps what models are trained from."""

Policy = dict[str, Any]
Statement = dict[str, Any]


def documents() -> dict[str, Policy]:
    """Every identity policy by its name."""
    found: dict[str, Policy] = {}
    for environment in ENVIRONMENTS:
        upstream = UPSTREAM.get(environment)
        found[f"deliver-{environment}"] = deliver(environment, upstream)
        if upstream is None:
            found[f"train-{environment}"] = train(environment)
        found[f"plan-{environment}"] = plan(environment, upstream)
        found[f"apply-{environment}"] = apply(environment)
        found[f"gc-{environment}"] = gc(environment)
        found[f"airflow-{environment}"] = airflow(environment)
        found[f"deliver-plain-{environment}"] = deliver_plain(environment)
        found[f"airflow-plain-{environment}"] = airflow_plain(environment)
    found["operator"] = operator()
    return found


def users() -> dict[str, tuple[str, ...]]:
    """The users of the local stack with their documents; the jobs of its GitLab have one key for each environment."""
    found: dict[str, tuple[str, ...]] = {"operator": ("operator",)}
    for environment in ENVIRONMENTS:
        train_too = () if environment in UPSTREAM else (f"train-{environment}",)
        parts = ("deliver", "plan", "apply", "deliver-plain")
        found[f"deliver-{environment}"] = (*(f"{part}-{environment}" for part in parts), *train_too)
        found[f"airflow-{environment}"] = (f"airflow-{environment}", f"airflow-plain-{environment}")
    return found


def deliver(environment: str, upstream: str | None) -> Policy:
    """Release (in the first environment), promote, verify and roll back: writes code, and the models that it lifts."""
    kept = (*STATES, *RELEASES, *RECORDS)
    statements = [
        _objects("WriteCode", PUT, CODE, environment, (".preconditions", *kept)),
        _objects("ReadCode", GET, CODE, environment, kept),
        _listing("SeeDelivered", DATA, environment, "delivered/*"),
    ]
    if upstream is None:
        return _policy(
            *statements,
            _objects("ReadModels", GET, MODELS, environment),
            *_reading_training_data(environment),
            _listing("ListCode", CODE, environment),
            _listing("ListModels", MODELS, environment),
        )
    return _policy(
        *statements,
        _objects("LiftModels", (GET, PUT, PUT_TAGS, ABORT), MODELS, environment),
        _objects("ReadUpstreamCode", GET, CODE, upstream, (*STATES, *RELEASES, "verdicts/*")),
        _objects("ReadUpstreamModels", (GET, GET_TAGS), MODELS, upstream),
        _listings("ListCode", CODE, (environment, upstream)),
        _listings("ListModels", MODELS, (environment, upstream)),
    )


def train(environment: str) -> Policy:
    """Training, also of a merge request that nobody has read yet: writes models and no code."""
    return _policy(
        _objects("KeepModels", (GET, PUT, ABORT), MODELS, environment),
        *_reading_training_data(environment),
        _objects("SeeWhatIsLive", GET, CODE, environment, ("state.json",)),
        _listing("ListModels", MODELS, environment),
        _listing("AskForState", CODE, environment, "state.json"),
    )


def plan(environment: str, upstream: str | None) -> Policy:
    """Plan, status, history, metrics and diff: reads, and nothing else."""
    statements = [
        _objects("ReadCode", GET, CODE, environment, (*STATES, *RELEASES, *RECORDS)),
        _objects("ReadModels", GET, MODELS, environment),
    ]
    seen = (environment,) if upstream is None else (environment, upstream)
    if upstream is None:
        statements += _reading_training_data(environment)
    else:
        statements += [
            _objects("ReadUpstreamCode", GET, CODE, upstream, (*STATES, *RELEASES, "verdicts/*")),
            _objects("ReadUpstreamModels", GET, MODELS, upstream),
        ]
    return _policy(*statements, _listings("ListCode", CODE, seen), _listings("ListModels", MODELS, seen))


def apply(environment: str) -> Policy:
    """`windlass env diff` and `apply`: the record of what windlass keeps in the environment's Airflow."""
    return _policy(
        _objects("KeepRecord", (GET, PUT), CODE, environment, ("owned.json",)),
        _listing("AskForRecord", CODE, environment, "owned.json"),
    )


def gc(environment: str) -> Policy:
    """What nobody needs is removed; `state.json`, the ledger and the verdicts stay."""
    others = [other for other in ENVIRONMENTS if other != environment]
    states = [f"{_arn(CODE)}/{other}/state.json" for other in others]
    return _policy(
        _objects("ReadCode", GET, CODE, environment, (*STATES, "ledger/*", "releases/*")),
        _objects("RemoveCode", DELETE, CODE, environment, ("states/*", *RELEASES)),
        _objects("ReadAndRemoveModels", (GET, DELETE), MODELS, environment),
        {"Sid": "SeeWhatIsLiveElsewhere", "Effect": "Allow", "Action": GET, "Resource": states},
        _listings(
            "ListCode",
            CODE,
            (environment,),
            *(f"{other}/{key}" for other in others for key in ("state.json", "ledger/*")),
        ),
        _listing("ListModels", MODELS, environment),
    )


def airflow(environment: str) -> Policy:
    """An Airflow with ReleaseBundle, and the operators that run in it."""
    return _policy(
        _objects("ReadCode", GET, CODE, environment, (*STATES, *RELEASES)),
        _listing("ListCode", CODE, environment),
        *_operators(environment),
    )


def airflow_plain(environment: str) -> Policy:
    """An Airflow with the stock S3DagBundle over a plain layout. It asks for the bucket itself, without a prefix."""
    return _policy(
        _objects("ReadLayout", GET, CODE, environment, ("dags/*",)),
        {"Sid": "ListCode", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": _arn(CODE)},
        *_operators(environment),
    )


def deliver_plain(environment: str) -> Policy:
    """What `deliver` needs besides where the environment says `bundle: plain`."""
    return _policy(
        _objects("LayOut", (GET, PUT), CODE, environment, LAYOUT),
        _objects("RemoveOwnFiles", DELETE, CODE, environment, ("dags/*",)),
    )


def operator() -> Policy:
    """The person at the terminal: whatever a command needs in any environment; ledger and pointer are not removed."""
    kept = (*STATES, *RELEASES, *RECORDS, "owned.json", *LAYOUT)
    return _policy(
        _everywhere("ReadCode", GET, CODE, kept),
        _everywhere("WriteCode", PUT, CODE, (".preconditions", *kept)),
        _everywhere("RemoveCode", DELETE, CODE, ("states/*", *RELEASES, "dags/*")),
        _everywhere("Models", (GET, PUT, DELETE, ABORT), MODELS, ("*",)),
        _everywhere("Data", (GET, PUT, DELETE, ABORT), DATA, ("*",)),
        {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": [_arn(bucket) for bucket in BUCKETS]},
    )


def bucket_policies() -> dict[str, Policy]:
    """The policy of each bucket by its name: what nobody may, whatever else somebody is allowed."""
    return {
        CODE: _policy(
            _deny("StateAndLedgerStay", DELETE, ("state.json", "ledger/*")),
            _deny("WrittenOnce", PUT, ("states/*", "ledger/*"), {"Null": {"s3:if-none-match": "true"}}),
            _deny(
                "WrittenByCompareAndSwap",
                PUT,
                ("state.json", "owned.json", "verdicts/*", "provenance/*", "plain/*"),
                {"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}},
            ),
            only_tls(CODE),
        ),
        MODELS: _policy(only_tls(MODELS)),
        DATA: _policy(only_tls(DATA)),
    }


def only_tls(bucket: str) -> Statement:
    """Refuses whatever comes over plain HTTP; the local stack, which has no TLS, goes without."""
    return {
        "Sid": "OnlyTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [_arn(bucket), f"{_arn(bucket)}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def without_tls(policy: Policy) -> Policy:
    """The bucket policy as a store without TLS takes it."""
    return policy | {"Statement": [one for one in policy["Statement"] if one["Sid"] != "OnlyTLS"]}


def _operators(environment: str) -> list[Statement]:
    """What tasks do: read models and data, pass files on, deliver; reviews also share files in a folder of theirs."""
    written = TASK_FILES if environment in UPSTREAM else (*TASK_FILES, f"{FOLDER}/*")
    return [
        _objects("ReadModels", GET, MODELS, environment),
        _objects("ReadData", GET, DATA, environment),
        _objects("WriteData", (PUT, ABORT), DATA, environment, written),
        _objects("ReadTags", GET_TAGS, DATA, environment, ("transfer/*",)),
        _objects("CopyTags", PUT_TAGS, DATA, environment, ("delivered/*",)),
        _listing("ListModels", MODELS, environment),
        _listing("ListData", DATA, environment),
    ]


def _reading_training_data(environment: str) -> list[Statement]:
    return [
        _objects("ReadTrainingData", GET, DATA, environment, (TRAINING_DATA,)),
        _listing("AskForTrainingData", DATA, environment, TRAINING_DATA),
    ]


def _policy(*statements: Statement) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _objects(
    sid: str, actions: str | Iterable[str], bucket: str, environment: str, keys: Iterable[str] = ("*",)
) -> Statement:
    action = actions if isinstance(actions, str) else list(actions)
    resource = [f"{_arn(bucket)}/{environment}/{key}" for key in keys]
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _everywhere(sid: str, actions: str | Iterable[str], bucket: str, keys: Iterable[str]) -> Statement:
    action = actions if isinstance(actions, str) else list(actions)
    resource = [f"{_arn(bucket)}/{environment}/{key}" for environment in ENVIRONMENTS for key in keys]
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _deny(sid: str, action: str, keys: Iterable[str], condition: dict[str, Any] | None = None) -> Statement:
    resource = [f"{_arn(CODE)}/{environment}/{key}" for environment in ENVIRONMENTS for key in keys]
    statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def _listing(sid: str, bucket: str, environment: str, keys: str = "*") -> Statement:
    return _listings(sid, bucket, (), f"{environment}/{keys}")


def _listings(sid: str, bucket: str, environments: Iterable[str], *more: str) -> Statement:
    """Listing below these prefixes; for an object that is not there AWS takes its key for the prefix."""
    prefixes = [*(f"{environment}/*" for environment in environments), *more]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": _arn(bucket),
        "Condition": {"StringLike": {"s3:prefix": prefixes}},
    }


def _arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"
