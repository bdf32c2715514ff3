"""docs/iam.md shows the documents that the stack uses, whole, and small enough for AWS."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.iam import page
from windlass.stack import object_store, policies, trust

MANAGED, TRUST, BUCKET = 6144, 2048, 20_480
"""How many characters AWS takes; white space does not count in a managed policy and in a trust policy it does."""


def expected() -> dict[str, Any]:
    """Every document by its name on the page."""
    found = policies.documents()
    found |= {f"bucket-{bucket.removeprefix('windlass-')}": one for bucket, one in policies.bucket_policies().items()}
    found |= {f"lifecycle-{bucket.removeprefix('windlass-')}": one for bucket, one in object_store.lifecycle().items()}
    return found | {f"trust-{kind}": trust.trust(kind) for kind in trust.KINDS}


def as_text(value: Any, indent: str = "") -> str:
    """JSON with short lists and objects in one line."""
    flat = json.dumps(value)
    if len(indent) + len(flat) <= 112 and not (isinstance(value, dict) and "Sid" in value):
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {as_text(one, inner)}" for key, one in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    assert isinstance(value, list)
    return "[\n" + ",\n".join(f"{inner}{as_text(one, inner)}" for one in value) + f"\n{indent}]"


def test_the_page_shows_the_documents_that_the_stack_uses(compare_golden: Callable[[Path, str], None]) -> None:
    wanted = expected()

    def renewed(match: re.Match[str]) -> str:
        return f"<!-- document: {match[1]} -->\n\n```json\n{as_text(wanted[match[1]])}\n```"

    text = page.PAGE.read_text()
    assert sorted(name for name, _ in page.BLOCK.findall(text)) == sorted(wanted), "each document once"
    compare_golden(page.PAGE, page.BLOCK.sub(renewed, text))


@pytest.mark.parametrize("name", sorted(expected()))
def test_aws_takes_a_document_of_that_size(name: str) -> None:
    limit = TRUST if name.startswith("trust-") else BUCKET if name.startswith("bucket-") else MANAGED
    text = as_text(expected()[name])
    assert len(text if limit == TRUST else re.sub(r"\s", "", text)) <= limit


@pytest.mark.parametrize("name", sorted(policies.documents()))
def test_a_document_grants_objects_below_its_own_environments_only(name: str) -> None:
    """Its own and the one before it; gc looks at the pointers of the others, the operator has all."""
    kind, _, environment = name.rpartition("-")
    if name == "operator":
        return
    known = {environment, policies.UPSTREAM.get(environment)} if kind in ("deliver", "plan") else {environment}
    for statement in policies.documents()[name]["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in resources:
            _, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
            assert statement["Effect"] == "Allow"
            assert not key or key.partition("/")[0] in known or (kind, key.partition("/")[2]) == ("gc", "state.json")


def test_who_may_delete_is_gc_the_plain_layout_and_the_operator() -> None:
    deleting = {
        name
        for name, document in policies.documents().items()
        for statement in document["Statement"]
        if "s3:DeleteObject" in statement["Action"]
    }
    kinds = {name.rpartition("-")[0] or name for name in deleting}
    assert kinds == {"gc", "deliver-plain", "operator"}
