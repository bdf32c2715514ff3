"""What windlass keeps is read by older and newer versions of it."""

import json

import pytest

from tests.fakes.releases import make_release, make_state
from windlass.spec.errors import DeliveryError
from windlass.spec.state import read_state


def _newer() -> bytes:
    """A state as a later windlass might write it, with a key more in each of its parts."""
    content = json.loads(make_state({"churn": make_release("churn", {"scores": "one"})}).to_json())
    content["deployment"]["ticket"] = "OPS-7"
    content["environment"]["colour"] = {"name": "red"}
    content["environment"]["s3"]["region"] = "eu-central-1"
    return (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()


def test_keys_of_a_newer_windlass_are_kept_so_that_the_state_keeps_its_name() -> None:
    assert read_state(_newer(), "state.json").to_json() == _newer()


def test_a_key_that_is_missing_or_wrong_is_one_sentence() -> None:
    content = json.loads(_newer())
    content["serial"] = "seven"
    with pytest.raises(DeliveryError, match=r"state.json is not a state .*: serial: Input should be a valid integer"):
        read_state(json.dumps(content).encode(), "state.json")
