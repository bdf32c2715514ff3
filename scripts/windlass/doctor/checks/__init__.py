"""The checks, one per module: `check(examined)` yields a sentence for each thing that is not as it has to be."""

from types import ModuleType

from windlass.doctor.checks import (
    auto_stop,
    git,
    gitlab_token,
    id_tokens,
    include_ref,
    job_token_access,
    merge_method,
    pipeline_variables,
    pipelines_must_succeed,
    platform_branch,
    protected_branch,
    protected_tags,
    python,
    rehearsal,
    reset_approvals,
    resource_groups,
    roles,
    runner_tags,
    variable_masked,
    variable_protected,
    variable_scope,
    variables,
)

CHECKS: tuple[ModuleType, ...] = (
    python,
    git,
    rehearsal,
    include_ref,
    id_tokens,
    protected_branch,
    protected_tags,
    variables,
    variable_scope,
    variable_masked,
    variable_protected,
    pipeline_variables,
    gitlab_token,
    runner_tags,
    resource_groups,
    pipelines_must_succeed,
    merge_method,
    reset_approvals,
    job_token_access,
    auto_stop,
    platform_branch,
    roles,
)
"""In the order in which they are shown: this machine, the repository, its project in GitLab, the platform's."""
