"""The example of docs/environments.md is read as it stands there."""

import re
from pathlib import Path

from tests.environment.conftest import declared

PAGE = Path(__file__).parents[2] / "docs/environments.md"


def test_the_example_of_variables_connections_and_pools_is_valid() -> None:
    match = re.search(r"```yaml\n(variables:\n.*?)```", PAGE.read_text(), re.S)
    assert match is not None
    wanted = declared(match[1], {"FEED_KEY": "f", "DWH_PASSWORD": "p", "DWH_KEY": "base64:aw=="})
    assert [one.key.path for one in wanted] == ["connection/dwh", "pool/dwh", "variable/feed", "variable/scoring_limit"]
