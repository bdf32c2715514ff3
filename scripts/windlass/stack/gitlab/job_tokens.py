"""What a job's token may do: the tables of GitLab's pages on job tokens. Elsewhere a job is one without a token.

The tables, as of GitLab 18:
"GitLab CI/CD job token", section "Job token access": https://docs.gitlab.com/ci/jobs/ci_job_token/#job-token-access
"Fine-grained permissions for CI/CD job tokens": https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
"""

import re

ALLOWED = """
GET /job
GET /projects/:id/repository/branches
GET /projects/:id/repository/commits/:sha
GET /projects/:id/repository/commits/:sha/merge_requests
GET /projects/:id/repository/files/:file_path/raw
GET /projects/:id/repository/tags
GET /projects/:id/repository/changelog
GET /projects/:id/merge_requests
GET /projects/:id/merge_requests/:merge_request_iid
GET /projects/:id/merge_requests/:merge_request_iid/notes
GET /projects/:id/merge_requests/:merge_request_iid/notes/:note_id
GET /projects/:id/deployments
GET /projects/:id/deployments/:deployment_id
GET /projects/:id/deployments/:deployment_id/merge_requests
POST /projects/:id/deployments
PUT /projects/:id/deployments/:deployment_id
DELETE /projects/:id/deployments/:deployment_id
POST /projects/:id/deployments/:deployment_id/approval
GET /projects/:id/environments
GET /projects/:id/environments/:environment_id
POST /projects/:id/environments
PUT /projects/:id/environments/:environment_id
DELETE /projects/:id/environments/:environment_id
POST /projects/:id/environments/:environment_id/stop
POST /projects/:id/environments/stop_stale
GET /projects/:id/jobs
GET /projects/:id/pipelines/:pipeline_id/jobs
PUT /projects/:id/pipelines/:pipeline_id/metadata
POST /projects/:id/trigger/pipeline
GET /projects/:id/packages
GET /projects/:id/packages/:package_id
DELETE /projects/:id/packages/:package_id
GET /projects/:id/packages/:package_id/package_files
GET /projects/:id/packages/generic/:package_name/:package_version/:file_name
PUT /projects/:id/packages/generic/:package_name/:package_version/:file_name
GET /projects/:id/releases
POST /projects/:id/releases
GET /projects/:id/releases/permalink/latest
GET /projects/:id/releases/:tag_name
PUT /projects/:id/releases/:tag_name
DELETE /projects/:id/releases/:tag_name
POST /projects/:id/releases/:tag_name/evidence
GET /projects/:id/releases/:tag_name/assets/links
POST /projects/:id/releases/:tag_name/assets/links
GET /projects/:id/releases/:tag_name/assets/links/:link_id
PUT /projects/:id/releases/:tag_name/assets/links/:link_id
DELETE /projects/:id/releases/:tag_name/assets/links/:link_id
"""


def shape(method: str, path: str) -> str:
    """A call without the names of its path's parts: `GET /projects/{project}` and `GET /projects/:id` are one."""
    return f"{method} " + re.sub(r"\{[^}]+\}|:\w+", "*", path)


_SHAPES = {shape(*line.split()) for line in ALLOWED.strip().splitlines()}


def allows(method: str, path: str) -> bool:
    """Whether a job's token is looked at by this call."""
    return shape(method, path) in _SHAPES
