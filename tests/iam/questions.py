"""What S3 was asked in a test, and how IAM would answer it under other documents: ministack's own evaluator decides."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

Document = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One request, or one part of a request, as IAM sees it."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.resource.removeprefix('arn:aws:s3:::')} {dict(self.context) or ''}".strip()


def question(line: str) -> Question:
    """A question as the server wrote it down."""
    found = json.loads(line)
    context = {name: str(value) for name, value in found["context"].items() if value is not None}
    return Question(found["action"], found["resource"], tuple(sorted(context.items())))


def is_allowed(asked: Question, documents: Iterable[Document]) -> bool:
    """Whether these documents together allow it: a Deny in any of them wins."""
    context = EvalContext(
        principal_arn="arn:aws:iam::000000000000:user/anyone",
        principal_type="User",
        principal_account="000000000000",
        action=asked.action,
        resource_arn=asked.resource,
        region="us-east-1",
        service_context=dict(asked.context),
    )
    return str(evaluate(context, [parse_policy_document(one) for one in documents]).decision) == "Allow"


def without_each_part(document: Document) -> Iterator[tuple[str, Document]]:
    """The document less one action on one resource, or less one prefix to list, at a time, and what is missing."""
    for number, statement in enumerate(document["Statement"]):
        sid, actions, resources = statement["Sid"], _values(statement["Action"]), _values(statement["Resource"])
        others = [one for place, one in enumerate(document["Statement"]) if place != number]
        pairs = [(action, resource) for action in actions for resource in resources]
        for gone in pairs:
            left = [statement | {"Action": action, "Resource": one} for action, one in pairs if (action, one) != gone]
            yield (
                f"{sid}: {gone[0]} on {gone[1].removeprefix('arn:aws:s3:::')}",
                document | {"Statement": others + left},
            )
        prefixes = _values(statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", []))
        for prefix in prefixes:
            smaller = {"StringLike": {"s3:prefix": [one for one in prefixes if one != prefix] or ["no/such/prefix"]}}
            yield f"{sid}: prefix {prefix}", document | {"Statement": [*others, statement | {"Condition": smaller}]}


def _values(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
