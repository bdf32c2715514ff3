"""The forms of a plan that outlive the command: files for the artifacts of a job, and the note in a merge request."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli import console
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.delivery.plan.plan import Plan

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/-]+")
_NUMBER = re.compile(r"[0-9]{1,18}")


def write_files(plan: "Plan", folder: str) -> None:
    """Writes plan.md, plan.json, plan.html and terraform.json to the folder."""
    from windlass.delivery.plan.html import plan_html
    from windlass.delivery.plan.lines import plan_markdown
    from windlass.delivery.plan.terraform import terraform_report

    content = json.dumps(plan.as_json(), indent=2, sort_keys=True) + "\n"
    files = {"plan.md": plan_markdown(plan), "plan.json": content, "plan.html": plan_html(plan)}
    files["terraform.json"] = json.dumps(terraform_report(plan.changes)) + "\n"
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        Path(folder, name).write_text(text, encoding="utf-8")


def tell_merge_request(plan: "Plan", folder: str | None) -> None:
    """Puts the plan into the merge request of this pipeline; what stands in the way is one line, and no failure."""
    from windlass.adapters.gitlab.connection import connection_in_ci
    from windlass.adapters.gitlab.note import LONGEST, keep_note, note_text

    variables = os.environ
    iid = variables.get("CI_MERGE_REQUEST_IID", "")
    if not _NUMBER.fullmatch(iid):
        console.step("no note: this is no pipeline of a merge request")
        return
    number = variables.get("CI_PIPELINE_ID", "")
    pipeline = int(number) if _NUMBER.fullmatch(number) else 0
    mark = f"plan:{plan.project}:{plan.environment}"
    # the pipeline of a fork's merge request runs in the fork, and the merge request is somewhere else
    there = variables.get("CI_MERGE_REQUEST_PROJECT_ID")
    connection = connection_in_ci({**variables, "CI_PROJECT_ID": there} if there else variables)
    if connection is None or connection.is_job:
        console.step(
            f"no note in merge request !{iid}: a job's token may not write one; "
            "set WINDLASS_GITLAB_TOKEN to a token with the scope api"
        )
        return
    try:
        text = note_markdown(plan, folder, variables, LONGEST - len(note_text(mark, pipeline, "")))
        kept = keep_note(connection, int(iid), mark, pipeline, text)
    except WindlassError as error:
        console.warn(f"merge request !{iid} does not show this plan: {error}")
        return
    said = {"newer": "shows the plan of a later pipeline", "unchanged": "shows this plan already"}
    console.step(f"merge request !{iid} {said.get(kept, 'shows the plan')}")


def note_markdown(plan: "Plan", folder: str | None, variables: Mapping[str, str], longest: int) -> str:
    """The plan with where the whole of it is and what it is of, in at most `longest` characters."""
    from windlass.delivery.plan.lines import plan_markdown
    from windlass.delivery.plan.markdown import code

    job, pages = variables.get("CI_JOB_URL", ""), ""
    if folder is not None and _ADDRESS.fullmatch(job):
        base = Path(variables.get("CI_PROJECT_DIR") or ".").resolve()
        below = os.path.relpath(Path(folder, "plan.html").resolve(), base)
        if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._/-]*", below):
            pages = f"[the whole plan]({job}/artifacts/file/{below})"
    commit = code(plan.after.commit[:8])
    origin = f"of commit {commit}" + (f" by [this job]({job})" if _ADDRESS.fullmatch(job) else "")
    footer = f"\n{f'{pages}, ' if pages else ''}{origin}\n"
    body = plan_markdown(plan, longest=longest - len(footer), elsewhere=f": {pages}" if pages else "")
    return body + footer
