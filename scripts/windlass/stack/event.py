"""What happens in GitLab, and what the pipeline of it is told: its reference, its source and its variables."""

import re
from collections.abc import Mapping
from typing import Any

MERGE_REQUEST, MAIN, TAG = EVENTS = ("merge-request", "main", "tag")
"""A delivery, step by step."""
SCHEDULE = "schedule"
CLOSE, DELETE, STOP = ENDS = ("close", "delete-branch", "stop")
"""What only ends something: no pipeline, but the jobs that stop environments."""

SOURCES = {MERGE_REQUEST: "merge_request_event", SCHEDULE: "schedule"}


def of_pipeline(event: str, ref: str, commit: str, request: Any) -> dict[str, Any]:
    """What GitLab knows of the event's pipeline; that of a merge request runs for a reference of its own."""
    about = {"sha": commit, "tag": event == TAG, "source": SOURCES.get(event, "push")}
    return {**about, "ref": pipeline_ref(request) if event == MERGE_REQUEST else ref}


def pipeline_ref(request: Any) -> str:
    """For what the pipelines of a merge request run."""
    return f"refs/merge-requests/{request.iid}/head"


def merge_request_of(ref: str) -> int | None:
    """The number of the merge request whose pipelines run for `ref`; None where it is a branch or a tag."""
    found = re.fullmatch(r"refs/merge-requests/(\d+)/head", ref)
    return int(found[1]) if found else None


def predefined(
    event: str, ref: str, title: str, request: Any, project: Any, pipeline: Mapping[str, Any]
) -> dict[str, str]:
    """GitLab's own variables that gitlab-ci-local cannot know."""
    variables = {
        "CI_PIPELINE_SOURCE": SOURCES.get(event, "push"),
        "CI_PIPELINE_ID": str(pipeline["id"]),
        "CI_PIPELINE_IID": str(pipeline["iid"]),
        "GITLAB_USER_ID": str(pipeline["user"]["id"]),
        "GITLAB_USER_LOGIN": pipeline["user"]["username"],
        "GITLAB_USER_NAME": pipeline["user"]["name"],
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_VISIBILITY": project.visibility,
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_COMMIT_REF_NAME": ref,
        "CI_COMMIT_REF_SLUG": re.sub(r"[^a-z0-9]+", "-", ref.lower()).strip("-")[:63],
        "CI_COMMIT_TITLE": title,
        "CI_COMMIT_MESSAGE": title,
        "GITLAB_CI": "true",
    }
    if event == TAG:
        variables["CI_COMMIT_TAG"] = ref
    if event == MERGE_REQUEST:
        variables |= {
            "CI_MERGE_REQUEST_ID": str(request.id),
            "CI_MERGE_REQUEST_IID": str(request.iid),
            "CI_MERGE_REQUEST_PROJECT_ID": str(project.id),
            "CI_MERGE_REQUEST_PROJECT_PATH": project.path_with_namespace,
            "CI_MERGE_REQUEST_TITLE": request.title,
            "CI_MERGE_REQUEST_DRAFT": str(request.draft).lower(),
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": request.source_branch,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": request.target_branch,
        }
    return variables
