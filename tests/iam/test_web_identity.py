"""A GitLab job gets a role by its token alone: the trust policies of docs/iam.md, and boto3's own way to use them."""

import base64
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.http_stub import http_stub
from tests.iam import page
from tests.iam.conftest import Guarded
from windlass.adapters.s3 import open_bucket
from windlass.cli.main import main
from windlass.spec.errors import ServiceError, TransientError
from windlass.spec.store import Missing
from windlass.stack import object_store
from windlass.stack.settings import REGION

pytestmark = pytest.mark.stack  # one server, and all the work done once: see TOGETHER in tests/conftest.py

ACCOUNT = "000000000000"
PROJECT, AUDIENCE = "risk/digits", "sts.amazonaws.com"
ROLES = {
    "windlass-plan-dev": ("trust-merge-request", "plan-dev"),
    "windlass-deliver-dev": ("trust-branch", "deliver-dev"),
    "windlass-deliver-prod": ("trust-tag", "deliver-prod"),
}
SEEN = {"windlass-plan-dev": "dev", "windlass-deliver-dev": "dev", "windlass-deliver-prod": "prod"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def token(sub: str, aud: str = AUDIENCE, issuer: str = "https://gitlab.com") -> str:
    """A token as GitLab signs it."""
    now = int(time.time())
    claims = {"iss": issuer, "sub": sub, "aud": aud, "iat": now, "exp": now + 300, "ref_protected": "true"}
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{text}.{encoded(KEY.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def subject(ref: str, kind: str = "branch", project: str = PROJECT) -> str:
    return f"project_path:{project}:ref_type:{kind}:ref:{ref}"


@pytest.fixture(scope="module", params=["gitlab.com", "gitlab.example.com"])
def issuer(guarded: Guarded, request: pytest.FixtureRequest) -> str:
    """The roles of the page, for a project, an account and an issuer."""
    iam = object_store.client(guarded.settings, guarded.settings.root, "iam")
    host: str = request.param
    for role, (trust, document) in ROLES.items():
        policy = json.dumps(page.documents()[trust]).replace("GROUP/PROJECT", PROJECT)
        policy = policy.replace("123456789012", ACCOUNT).replace("gitlab.com", host)
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy)
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=policy)
        iam.put_role_policy(RoleName=role, PolicyName=document, PolicyDocument=json.dumps(page.documents()[document]))
    return host


@pytest.fixture
def job(guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the variables of a CI job that has this token, and no other credentials."""

    def begin(role: str, content: str | None, sts: str | None = None) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        path = tmp_path / "token"
        if content is not None:
            path.write_text(content)
        url = guarded.settings.url("s3")
        variables = {
            "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{role}",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(path),
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_ENDPOINT_URL_STS": sts or url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return begin


def look(environment: str) -> None:
    """Asks for a record that is not there: who may not see the environment is refused."""
    with pytest.raises(Missing):
        open_bucket("windlass-code").get(f"{environment}/states/none.json")


@pytest.mark.parametrize(
    ("role", "sub"),
    [
        ("windlass-plan-dev", subject("feature/x")),
        ("windlass-plan-dev", subject("main")),
        ("windlass-deliver-dev", subject("main")),
        ("windlass-deliver-prod", subject("v1.2.3", "tag")),
    ],
)
def test_a_job_gets_the_role_of_its_ref(job: Any, issuer: str, role: str, sub: str) -> None:
    job(role, token(sub, issuer=f"https://{issuer}"))
    look(SEEN[role])
    with pytest.raises(ServiceError, match="S3 refuses PutObject"):
        open_bucket("windlass-code").put("stage/state.json", b"{}", if_absent=True)


@pytest.mark.parametrize(
    ("role", "sub"),
    [
        ("windlass-deliver-prod", subject("main")),
        ("windlass-deliver-prod", subject("v1.2.3")),  # a branch that is called like a tag
        ("windlass-deliver-prod", subject("nightly", "tag")),
        ("windlass-deliver-prod", subject("v1.2.3", "tag", "risk/letters")),
        ("windlass-deliver-prod", subject("v1.2.3", "tag", "mallory/digits")),  # a fork
        ("windlass-deliver-prod", subject("v1.2.3", "tag", "risk/digits-2")),
        ("windlass-deliver-prod", subject("v1.2.3", "tag", "evil/risk/digits")),
        ("windlass-deliver-dev", subject("feature/main")),
        ("windlass-deliver-dev", subject("main-2")),
        ("windlass-deliver-dev", subject("main", "tag")),
        ("windlass-deliver-dev", subject("main", project="mallory/digits")),
        ("windlass-plan-dev", subject("v1.2.3", "tag")),
        ("windlass-plan-dev", subject("feature/x", project="mallory/digits")),
    ],
)
def test_no_other_ref_project_or_fork_gets_it(job: Any, issuer: str, role: str, sub: str) -> None:
    job(role, token(sub, issuer=f"https://{issuer}"))
    with pytest.raises(ServiceError, match=f"AWS does not give this job the role .*{role}; compare project, ref"):
        open_bucket("windlass-code").get("dev/state.json")


def test_the_command_line_runs_with_a_token_and_stops_with_one_sentence_without_a_role(
    job: Any, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prod.yml").write_text("s3: {code: windlass-code, models: windlass-models, data: windlass-data}\n")
    monkeypatch.setattr(sys, "argv", ["windlass", "status", "prod", "--environments", str(tmp_path)])
    found = []
    for ref, kind in (("v1.2.3", "tag"), ("main", "branch")):
        secret = token(subject(ref, kind), issuer=f"https://{issuer}")
        job("windlass-deliver-prod", secret)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert secret not in said.out + said.err
        found.append((ended.value.code or 0, said.err.count("AWS does not give this job the role")))
    assert found == [(0, 0), (3, 1)]


@pytest.mark.parametrize("wrong", [{"aud": "https://gitlab.com"}, {"issuer": "https://gitlab.evil.example"}])
def test_a_wrong_audience_or_issuer_gets_nothing(job: Any, issuer: str, wrong: dict[str, str]) -> None:
    job("windlass-deliver-prod", token(subject("v1.2.3", "tag"), **({"issuer": f"https://{issuer}"} | wrong)))
    with pytest.raises(ServiceError, match="AWS does not give this job the role"):
        open_bucket("windlass-code").get("prod/state.json")


def test_a_token_file_that_is_missing_or_empty_is_named(job: Any) -> None:
    job("windlass-deliver-prod", None)
    with pytest.raises(ServiceError, match=r"AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read \(No such file"):
        open_bucket("windlass-code").get("prod/state.json")
    job("windlass-deliver-prod", "")
    with pytest.raises(ServiceError, match="AWS_WEB_IDENTITY_TOKEN_FILE names is empty"):
        open_bucket("windlass-code").get("prod/state.json")


def test_a_role_that_is_not_named_is_asked_for(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job("windlass-deliver-prod", "x.y.z")
    monkeypatch.delenv("AWS_ROLE_ARN")
    with pytest.raises(ServiceError, match="AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not"):
        open_bucket("windlass-code").get("prod/state.json")


@pytest.fixture
def answering() -> Iterator[Callable[[str, str], str]]:
    """An STS that gives AWS's documented error."""
    with contextlib.ExitStack() as stack:

        def serve(code: str, message: str) -> str:
            body = (
                '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            )
            return str(stack.enter_context(http_stub(lambda request: (400, body.encode()))).url)

        yield serve


@pytest.mark.parametrize(
    ("code", "message", "error", "words"),
    [
        (
            "ExpiredTokenException",
            "Token expired: current date/time 1 must be before 0",
            ServiceError,
            "token has expired",
        ),
        ("InvalidIdentityToken", "Incorrect token audience", ServiceError, r"\(Incorrect token audience\)"),
        ("InvalidIdentityToken", "No OpenIDConnect provider found", ServiceError, "does not accept the job's token"),
        ("IDPCommunicationError", "Could not reach", TransientError, "does not reach GitLab"),
        ("PackedPolicyTooLarge", "too large", ServiceError, "PackedPolicyTooLarge: too large"),
    ],
)
def test_what_aws_answers_to_a_token_is_one_sentence(
    job: Any, answering: Any, code: str, message: str, error: type[Exception], words: str
) -> None:
    secret = token(subject("v1.2.3", "tag"))
    job("windlass-deliver-prod", secret, answering(code, message))
    with pytest.raises(error, match=words) as raised:
        open_bucket("windlass-code", attempts=1).get("prod/state.json")
    assert secret not in str(raised.value)
    assert "\n" not in str(raised.value)
