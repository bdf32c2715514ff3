"""What went wrong when boto3 asked for credentials with a job's token, as one sentence that says where to look."""

import os

from botocore import exceptions

from windlass.spec.errors import ServiceError, TransientError

OPERATION = "AssumeRoleWithWebIdentity"
_ROLE, _FILE = "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"
_PAGE = "docs/iam.md"


def refused(uri: str, error: exceptions.ClientError) -> Exception | None:
    """What AWS's refusal of the role means; None when `error` is about something else."""
    if error.operation_name != OPERATION:
        return None
    answer = error.response.get("Error", {})
    code, message = str(answer.get("Code", "")), str(answer.get("Message", "")).rstrip(".")
    role = os.environ.get(_ROLE, f"that {_ROLE} names")
    if code in ("ExpiredToken", "ExpiredTokenException"):
        return ServiceError(f"{uri}: the job's token has expired; run the job again, or give it a longer timeout")
    if code == "IDPCommunicationError":
        return TransientError(f"{uri}: AWS does not reach GitLab to check the job's token; try again in a moment")
    if code == "InvalidIdentityToken":
        return ServiceError(
            f"{uri}: AWS does not accept the job's token ({message}); its issuer and the aud of id_tokens must be "
            f"those of the OpenID Connect provider, see {_PAGE}"
        )
    if code == "AccessDenied":
        return ServiceError(
            f"{uri}: AWS does not give this job the role {role}; compare project, ref and aud of its token with the "
            f"role's trust policy, see {_PAGE}"
        )
    return ServiceError(f"{uri}: AWS does not give this job the role {role} ({code}: {message}); see {_PAGE}")


def unreadable(uri: str, error: Exception) -> ServiceError | None:
    """The token file is missing, empty or not to be read, or no role is named; None when it is about something else."""
    path = os.environ.get(_FILE)
    if path is None:
        return None
    if isinstance(error, exceptions.InvalidConfigError) and _ROLE not in os.environ:
        return ServiceError(f"{uri}: {_FILE} is set and {_ROLE} is not; name the role, see {_PAGE}")
    if isinstance(error, OSError) and error.filename == path:
        return ServiceError(
            f"{uri}: the token file that {_FILE} names cannot be read ({error.strerror}): {path}; "
            f"let the job write its id_token there, see {_PAGE}"
        )
    if isinstance(error, exceptions.ParamValidationError) and "WebIdentityToken" in str(error):
        return ServiceError(f"{uri}: the token file that {_FILE} names is empty: {path}; does the job have id_tokens?")
    return None
