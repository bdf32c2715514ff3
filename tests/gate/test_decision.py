"""A decision is a document: kept under its own digest, judged again offline, and red when a byte was altered."""

import json

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.gate.evidence import decided
from windlass.delivery.gate.decide import keep_decision, load_decision, replay, require_named
from windlass.delivery.place import Place
from windlass.spec.decision import is_decision_key
from windlass.spec.errors import DeliveryError


def test_a_decision_is_kept_once_and_replayed() -> None:
    store = MemoryStore()
    place, decision = Place("prod", "prod", store, store), decided()
    key = keep_decision(place, decision)
    assert keep_decision(place, decision) == key
    assert key == f"prod/provenance/digits/{'f' * 64}/gate/{decision.digest}.json"
    assert is_decision_key(key)
    found = load_decision(place, key)
    assert found == decision
    assert replay(found).is_same


def altered_inputs(value: object) -> list[bytes]:
    """The document with one leaf of it changed at a time."""
    found: list[bytes] = []

    def walk(node: object, put: object) -> None:
        if isinstance(node, dict | list):
            for key, inner in list(node.items() if isinstance(node, dict) else enumerate(node)):
                walk(inner, (node, key))
            return
        holder, key = put
        before = holder[key]
        holder[key] = f"{before}x" if isinstance(before, str) else (not before if isinstance(before, bool) else 7)
        if holder[key] != before:
            found.append((json.dumps(value, sort_keys=True, indent=1) + "\n").encode())
        holder[key] = before

    walk(value, None)
    return found


def test_any_value_that_was_altered_is_found_even_without_the_name() -> None:
    content = json.loads(decided(roles="data-engineer: {users: [bob]}\n").to_json())
    every = altered_inputs(content)
    survived = []
    for one in every:
        try:
            is_same = replay(require_named(one, "decision.json")).is_same
        except DeliveryError:
            continue
        if is_same:
            survived.append(one)
    assert len(every) > 40
    told = [json.loads(one)["tool_version"] for one in survived]
    assert [one for one in told if one == content["tool_version"]] == [], "only who wrote it may differ"


def test_a_byte_that_was_altered_is_found_by_the_name() -> None:
    store = MemoryStore()
    place, decision = Place("prod", "prod", store, store), decided()
    key = keep_decision(place, decision)
    content = store.objects[key]
    for position in range(0, len(content), 97):
        store.objects[key] = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        with pytest.raises(DeliveryError, match="was altered"):
            load_decision(place, key)
    with pytest.raises(DeliveryError, match="is no decision of a gate"):
        require_named(b"{}", "x.json")
    with pytest.raises(DeliveryError, match="is not as windlass writes"):
        require_named(content + b"\n", "x.json")


def test_another_version_may_say_the_same_in_other_words_and_may_not_judge_otherwise() -> None:
    decision = decided("gate: {approvals: 2}\n")
    (refused,) = [check for check in decision.checks if check.standing == "refused"]
    words = [
        check.model_copy(update={"sentence": "as it was said then"} if check == refused else {})
        for check in decision.checks
    ]
    judged = [check.model_copy(update={"standing": "passed", "sentence": None}) for check in decision.checks]
    assert not replay(decision.model_copy(update={"checks": words})).is_same
    assert replay(decision.model_copy(update={"checks": words, "tool_version": "0.0.9"})).is_same
    changed = {"checks": judged, "passed": True, "tool_version": "0.0.9"}
    assert not replay(decision.model_copy(update=changed)).is_same
