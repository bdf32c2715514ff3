"""Releases that carry their pipelines, made of YAML texts as `windlass release` would, without rendering."""

import hashlib
import json
from collections.abc import Mapping

from windlass.delivery.release.archive import Archive, Release, build_archive, read_archive
from windlass.spec.document import parse_document
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.resolved import resolved_json, resolved_path

READ = """\
dag: {name: read, description: Reads., schedule: "0 6 * * *", timezone: Europe/Berlin, tags: [a]}
tasks:
  extract:
    rows: {operator_type: s3_to_file, key: in.csv, outputs: {data: rows.csv}}
  transform:
    score:
      job: {docker_image: python, execution_time: 10 minutes, execution_script: "score {data} {out}"}
      inputs: {data: extract.rows.data, model: "model:digits"}
      outputs: {out: out.csv}
  load:
    keep: {operator_type: deliver, to: "scores/{ds}.csv", inputs: {data: transform.score.out}}
"""


def pipeline(text: str) -> Pipeline:
    """The pipeline of a YAML text."""
    document = parse_document("pipelines/x.yml", text.encode())
    found = read_pipeline(document)
    assert found is not None, document.problems
    return found


def archive(
    *texts: str,
    models: Mapping[str, str] | None = None,
    code: str = "I say",
    described: bool = True,
    requires: Mapping[str, list[str]] | None = None,
    project: str = "digits",
) -> Archive:
    """An archive of the pipelines; `code` is in an operator of it."""
    pipelines = {text: pipeline(text) for text in texts}
    manifest = {
        "project": project,
        "pipelines": {
            one.dag.name: {"path": "pipelines/x.yml", "source": hashlib.sha256(text.encode()).hexdigest()}
            for text, one in pipelines.items()
        },
        "models": dict(models or {}),
        "requires": dict(requires or {}),
    }
    files = {"manifest.json": json.dumps(manifest).encode(), "operators/say.py": code.encode()}
    for one in pipelines.values():
        pins = {name: version for name, version in (models or {}).items() if name in one.models}
        files[f"dags/{one.dag.name}.py"] = resolved_json(one) + repr(sorted(pins.items())).encode()
        if described:
            files[resolved_path(one.dag.name)] = resolved_json(one)
    return build_archive(project, files)


def release(
    *texts: str, models: Mapping[str, str] | None = None, code: str = "I say", described: bool = True
) -> Release:
    """The same, read."""
    made = archive(*texts, models=models, code=code, described=described)
    return read_archive("digits", made.digest, made.content)


def changed(text: str, *replacements: tuple[str, str]) -> str:
    """`text` with each of the replacements made; each must be possible."""
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text
