"""A GitLab child pipeline with one job for each model, on the runner and in the image that its flavor has there."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from windlass.spec.model import Model
from windlass.spec.runner import Runner

_AROUND = timedelta(minutes=30)
"""What a job does beside the training: the tool, the data, the tests and the upload."""


@dataclass(frozen=True)
class Template:
    """Where the jobs have the rest from: the platform's `ci/base.yml`, and a file of the repository that changes it."""

    project: str
    platform: str
    platform_ref: str
    image: str
    overrides: str = ""


def child_pipeline(models: Mapping[str, Model], runners: Mapping[str, Runner], template: Template) -> str:
    """The pipeline as JSON, which is YAML; without models it says so in one job, since GitLab runs no empty one."""
    document: dict[str, Any] = {"include": _includes(template)}
    for name, model in sorted(models.items()):
        document[f"{template.project}:train:{name}"] = _job(name, model, runners, template)
    if not models:
        document[f"{template.project}:train:nothing"] = _nothing(template)
    return json.dumps(document, indent=2) + "\n"


def _includes(template: Template) -> list[dict[str, Any]]:
    given = {"platform": template.platform, "platform_ref": template.platform_ref, "image": template.image}
    base = {
        "project": template.platform,
        "ref": template.platform_ref,
        "file": "ci/base.yml",
        "inputs": {"project": template.project, **given},
    }
    return [base, *([{"local": "/" + template.overrides.lstrip("/")}] if template.overrides else [])]


def _job(name: str, model: Model, runners: Mapping[str, Runner], template: Template) -> dict[str, Any]:
    runner = runners.get(model.train.resource_flavor or "", Runner())
    limit = (model.train.execution_time or timedelta(hours=6)) + _AROUND
    return {
        "extends": f".windlass:{template.project}",
        **({"image": runner.image} if runner.image else {}),
        **({"tags": runner.tags} if runner.tags else {}),
        "timeout": f"{int(limit.total_seconds() // 60)} minutes",
        "script": [f"windlass train {shlex.quote(name)} --metrics metrics.txt"],
        "artifacts": {
            "when": "always",
            "expire_in": "1 week",
            "paths": ["metrics.txt"],
            "reports": {"metrics": "metrics.txt"},
        },
        **_ALWAYS,
    }


def _nothing(template: Template) -> dict[str, Any]:
    """A job that needs neither the tool nor the platform's repository."""
    words = "this project has no models/*.yml; nothing to train"
    return {"extends": f".windlass:{template.project}", "before_script": [], "script": [f"echo '{words}'"], **_ALWAYS}


_ALWAYS = {"rules": [{"if": '$CI_PIPELINE_SOURCE == "parent_pipeline"'}]}
"""Jobs without rules are left out of the child of a merge request's pipeline."""


def metrics_report(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """The metrics of models, by the model's name, as the lines of an OpenMetrics file that GitLab compares."""
    return "".join(
        f'{re.sub("[^A-Za-z0-9_:]", "_", metric)}{{model="{model}"}} {value:g}\n'
        for model, measured in sorted(metrics.items())
        for metric, value in sorted(measured.items())
    )
