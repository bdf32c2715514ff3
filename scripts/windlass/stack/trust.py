"""Which GitLab jobs may take which role: the trust policies of docs/iam.md, for an issuer, an account and a project."""

from typing import Any

MERGE_REQUEST, DEFAULT_BRANCH, TAG = "ref_type:branch:ref:*", "ref_type:branch:ref:main", "ref_type:tag:ref:v*"

KINDS = {"merge-request": MERGE_REQUEST, "branch": DEFAULT_BRANCH, "tag": TAG}
"""The three trust policies, by what a token's `sub` must end in."""


def trust(
    kind: str, *, project: str = "GROUP/PROJECT", issuer: str = "gitlab.com", account: str = "123456789012"
) -> dict[str, Any]:
    """The trust policy of a role for `project`: AWS looks at the audience and the subject of GitLab's token."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"},
                    "StringLike": {f"{issuer}:sub": f"project_path:{project}:{KINDS[kind]}"},
                },
            }
        ],
    }
