"""Evidence and policies as plain data: one merge request of ann, approved by bob, on its way to prod."""

from typing import Any

from windlass.delivery.gate.decide import decide
from windlass.spec.decision import Decision, PolicyTexts
from windlass.spec.evidence import Commit, Event, Evidence, MergeRequest

GATE = "gate:\n  approvals: 1\n"
ROLES = "data-engineer: {users: [bob]}\nmanager: {users: [Mia]}\ndeveloper: {users: [dev], groups: [platform/dev]}\n"
NOON = "2026-11-22T12:00:00Z"
ONE, RELEASE = "1" * 40, "f" * 64


def texts(gate: str = GATE, roles: str = ROLES, owners: str = "") -> PolicyTexts:
    """The policy of prod."""
    files = {
        "environments/base.yml": "s3: {code: c, models: m, data: d}\n",
        "environments/dev.yml": "extends: base\n",
        "environments/prod.yml": f"extends: base\nupstream: dev\n{gate}",
        "environments/roles.yml": roles,
        "environments/CODEOWNERS": owners,
    }
    return PolicyTexts(
        server="https://gitlab.example", path="platform/windlass", branch="main", commit="9" * 40, files=files
    )


def events(*happened: str) -> list[Event]:
    """`approval bob`, `push ann`, `withdrawal bob`, a minute apart."""
    found = []
    for number, one in enumerate(happened, 1):
        kind, actor = one.split()
        found.append(
            Event.model_validate(
                {"kind": kind, "actor": actor, "note": number, "at": f"2026-11-22T10:{number:02d}:00Z"}
            )
        )
    return found


def evidence(*happened: str, **more: Any) -> Evidence:
    """What is known; by default bob approved."""
    review = MergeRequest(
        iid=7, author="ann", head="2" * 40, merge_commit=ONE, events=events(*(happened or ("approval bob",)))
    )
    usual = {
        "environment": "prod",
        "project": "digits",
        "release": RELEASE,
        "commit": ONE,
        "live": "0" * 40,
        "at": NOON,
        "server": "https://gitlab.example",
        "path": "ocr/digits",
        "default_branch": "main",
        "head": ONE,
        "is_merged": True,
        "brought": [Commit(sha=ONE, parents=["0" * 40, "2" * 40], merge_requests=[7])],
        "merge_requests": [review],
    }
    return Evidence.model_validate(usual | more)


def decided(gate: str = GATE, *happened: str, roles: str = ROLES, owners: str = "", **more: Any) -> Decision:
    """The decision about that."""
    return decide(texts(gate, roles, owners), evidence(*happened, **more))
