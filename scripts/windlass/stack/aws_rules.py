"""What AWS checks in S3 and ministack does not, so that the local stack refuses what AWS would refuse.

Bucket policies may ask whether a write is conditional, and who may not list does not learn that an object is missing.
"""

from typing import Any

CONDITIONS = ("if-match", "if-none-match")


def install() -> None:
    """Adds both rules to the ministack of this process."""
    from ministack.core import iam_actions, iam_evaluator

    enforce, context_of = iam_evaluator.enforce, iam_actions.s3_service_context

    def context(
        action: str, query: dict[str, Any] | None, path: str = "", headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The request's condition keys, s3:if-match and s3:if-none-match among them."""
        found: dict[str, Any] = dict(context_of(action, query, path, headers))
        if action == "s3:PutObject":
            found |= {f"s3:{name}": headers[name] for name in CONDITIONS if headers and headers.get(name)}
        return found

    def enforce_as_aws(
        access_key_id: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        """None when the request is allowed; an object that is not there is only told to those who may list its key."""
        denied = enforce(access_key_id, action, service, region, resource_arn, service_context)
        bucket, _, key = resource_arn.removeprefix("arn:aws:s3:::").partition("/")
        if denied or action != "s3:GetObject" or _is_there(bucket, key):
            return denied
        listed = {"s3:prefix": key}
        return enforce(access_key_id, "s3:ListBucket", service, region, f"arn:aws:s3:::{bucket}", listed)

    iam_actions.s3_service_context = context
    iam_evaluator.enforce = enforce_as_aws


def _is_there(bucket: str, key: str) -> bool:
    """Whether there is such an object; a bucket that is missing is no secret."""
    from ministack.services import s3

    found = s3._buckets.get(bucket)
    return found is None or key in found["objects"]
