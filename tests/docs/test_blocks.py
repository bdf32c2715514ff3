"""The YAML on the guides and on the page about GitLab is YAML that windlass takes."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from windlass.lint.report import check_with_environments
from windlass.spec.model import Model

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs/roles").glob("*.md")), ROOT / "docs/gitlab.md"]
PIPELINE = """\
dag: {name: checked, base_resource: cpu-1gb}
tasks:
  take:
    rows: {operator_type: s3_to_file, key: rows.csv, outputs: {rows: rows.csv}}
  transform:
    score:
      job: {docker_image: python3-11, execution_time: 1 hour, execution_script: "score {rows} > {scores}"}
      inputs: {rows: take.rows.rows}
BLOCK
  load:
    keep: {operator_type: deliver, to: scores.csv, inputs: {data: transform.score.scores}}
"""
ROLES = "manager: {users: [mia]}\ndeveloper: {groups: [platform/developers]}\n"
BLOCKS = [
    (f"{page.stem}-{number}", block)
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S), 1)
]


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_windlass_takes_each_block(block: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "environments", tmp_path / "environments")
    content: dict[str, Any] = yaml.load(block, yaml.BaseLoader)
    keys = set(content)
    if keys & {"gate", "upstream", "connections"}:
        text = block if "extends" in keys else f"extends: base\nupstream: stage\n{block}"
        (tmp_path / "environments/prod.yml").write_text(text)
        (tmp_path / "environments/roles.yml").write_text(ROLES)
    elif block.startswith("# environments/roles.yml"):
        (tmp_path / "environments/roles.yml").write_text(block)
    elif keys == {"outputs"}:
        (tmp_path / "pipelines").mkdir()
        indented = "".join(f"      {line}\n" for line in block.splitlines()).rstrip()
        (tmp_path / "pipelines/checked.yml").write_text(PIPELINE.replace("BLOCK", indented))
    elif "template" in keys:
        shutil.copytree(ROOT / "examples/shop", tmp_path, dirs_exist_ok=True)
        (tmp_path / "pipelines/orders.yml").write_text(block)
    elif keys <= set(Model.model_fields):
        assert content["train"]["execution_script"]
    elif "include" in keys:
        declared = yaml.safe_load((ROOT / "ci/model.yml").read_text().partition("\n---\n")[0])["spec"]["inputs"]
        assert all(set(one["inputs"]) <= set(declared) for one in content["include"])
    else:
        assert all(key.startswith(".windlass:") for key in keys), keys
        return
    elsewhere, report = check_with_environments(tmp_path, str(tmp_path / "environments"))
    assert [str(problem) for problem in (*elsewhere, *report.problems)] == []
