"""The components of the CI/CD catalog: each has the inputs of the file of its name in `ci/` and hands all on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPONENTS = sorted(path for path in (ROOT / "ci").glob("*.yml") if path.stem != "base")


def component(path: Path) -> str:
    """GitLab looks for a local file of a component in the component's project, at the component's version."""
    header = path.read_text().partition("\n---\n")[0]
    names = yaml.safe_load(header)["spec"]["inputs"]
    given = [f"      {yaml.safe_dump(name).split()[0]}: $[[ inputs.{name} ]]" for name in names]
    return "\n".join([header, "---", "include:", f"  - local: /ci/{path.name}", "    inputs:", *given, ""])


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_a_component_is_the_file_of_its_name(path: Path, compare_golden: Callable[[Path, str], None]) -> None:
    compare_golden(ROOT / "templates" / path.name, component(path))


def test_there_is_a_component_for_each_file_and_no_other() -> None:
    assert {path.name for path in (ROOT / "templates").iterdir()} == {path.name for path in COMPONENTS}


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_a_component_declares_and_hands_on_the_same_inputs(path: Path) -> None:
    header, body = (list(yaml.safe_load_all(one.read_text())) for one in (path, ROOT / "templates" / path.name))
    assert body[0] == header[0]
    include: list[dict[str, Any]] = body[1]["include"]
    assert include[0]["inputs"] == {name: f"$[[ inputs.{name} ]]" for name in body[0]["spec"]["inputs"]}
