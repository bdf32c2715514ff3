"""The events that a repository's pipeline may be made for, as the variables that GitLab has then."""

BRANCH, NO_BRANCH = "CI_COMMIT_BRANCH", ["--unset-variable", "CI_COMMIT_BRANCH"]


def _set(**variables: str) -> list[str]:
    return [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]


def _request(draft: str) -> list[str]:
    source = _set(CI_PIPELINE_SOURCE="merge_request_event", CI_MERGE_REQUEST_IID="7", CI_MERGE_REQUEST_DRAFT=draft)
    return source + NO_BRANCH


EVENTS: dict[str, list[str]] = {
    "merge request": _request("false"),
    "draft": _request("true"),
    "default branch": _set(CI_PIPELINE_SOURCE="push", CI_COMMIT_BRANCH="main"),
    "tag v1.2.3": _set(CI_PIPELINE_SOURCE="push", CI_COMMIT_TAG="v1.2.3") + NO_BRANCH,
    "another tag": _set(CI_PIPELINE_SOURCE="push", CI_COMMIT_TAG="nightly") + NO_BRANCH,
    "another branch": _set(CI_PIPELINE_SOURCE="push", CI_COMMIT_BRANCH="feature"),
    "schedule": _set(CI_PIPELINE_SOURCE="schedule", CI_COMMIT_BRANCH="main"),
    "schedule on a tag": _set(CI_PIPELINE_SOURCE="schedule", CI_COMMIT_TAG="v1.2.3") + NO_BRANCH,
    "by hand on the default branch": _set(CI_PIPELINE_SOURCE="web", CI_COMMIT_BRANCH="main"),
    "by API on the default branch": _set(CI_PIPELINE_SOURCE="api", CI_COMMIT_BRANCH="main"),
    "by hand on another branch": _set(CI_PIPELINE_SOURCE="web", CI_COMMIT_BRANCH="feature"),
    "rollback of stage by hand": _set(CI_PIPELINE_SOURCE="web", CI_COMMIT_BRANCH="main", WINDLASS_ROLLBACK="stage"),
    "rollback of prod on a tag": _set(CI_PIPELINE_SOURCE="web", CI_COMMIT_TAG="v1.2.3", WINDLASS_ROLLBACK="prod")
    + NO_BRANCH,
    "rollback on another branch": _set(CI_PIPELINE_SOURCE="web", CI_COMMIT_BRANCH="feature", WINDLASS_ROLLBACK="prod"),
}
