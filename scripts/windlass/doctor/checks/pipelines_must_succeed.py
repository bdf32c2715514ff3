"""Merge requests are merged only after their pipeline succeeded: lint, tests and gates of models are no advice."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import NotSeen, seen

NAME = "pipelines-must-succeed"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > Merge requests > Merge checks: pipelines must succeed; skipped pipelines are not successful"
API = "PUT /projects/:id only_allow_merge_if_pipeline_succeeds=true allow_merge_on_skipped_pipeline=false"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each of the two that is otherwise."""
    project = seen(examined.settings.project)
    if project.pipelines_must_succeed is None:
        raise NotSeen("GitLab does not tell this token")
    if not project.pipelines_must_succeed:
        yield "a merge request may be merged while its pipeline fails"
    elif project.skipped_counts_as_success:
        yield "a merge request may be merged when its pipeline was skipped ([skip ci])"
