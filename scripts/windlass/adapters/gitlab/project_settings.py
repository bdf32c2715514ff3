"""Reads the settings of a project that windlass relies on; what this token may not see becomes the reason why."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gitlab.exceptions import GitlabError

from windlass.adapters.gitlab.connection import Connection
from windlass.adapters.gitlab.project_access import AccessReader, is_open
from windlass.adapters.gitlab.project_part import Part, everything, read_part
from windlass.spec.project_settings import (
    Branch,
    DeployedTo,
    JobTokens,
    Project,
    ProjectSettings,
    Protected,
    Runner,
    Unseen,
    Variable,
)

_MOST_RUNNERS = 50
"""Instances have hundreds; the tags of each take a call."""


class SettingsReader:
    """Asks GitLab for one part after another; only what it does not answer at all is an error (TransientError)."""

    def __init__(self, connection: Connection, variables: Mapping[str, str]) -> None:
        self._connection = connection
        self._access = AccessReader(connection, variables)
        self._client = connection.client
        self._project = connection.project

    def ci_file(self) -> str | Unseen:
        """The text of `.gitlab-ci.yml` on the default branch."""
        read = self._project.files.raw
        return self._read(
            "the file .gitlab-ci.yml",
            "needs the role Reporter",
            lambda: read(".gitlab-ci.yml", ref="HEAD", obey_rate_limit=False).decode("utf-8", "replace"),
            missing="there is no .gitlab-ci.yml on the default branch",
        )

    def settings(
        self, platform: str | None, tags: Iterable[str], users: Iterable[str], groups: Iterable[str]
    ) -> ProjectSettings:
        """Everything; `platform` is the project that `.gitlab-ci.yml` includes, with these tags, where it does."""
        project = self._read("the project", "needs the role Reporter", self._own)
        path = project.path if isinstance(project, Project) else ""
        of_project = self._read("variables", "needs the role Maintainer", lambda: self._variables(self._project, path))
        has_groups = isinstance(project, Project) and not project.is_personal
        of_groups, group_reason = self._of_groups(path) if has_groups else ([], None)
        variables = of_project if isinstance(of_project, Unseen) else (*of_project, *of_groups)
        no_platform = Unseen(".gitlab-ci.yml includes nothing of another project")
        return ProjectSettings(
            project=project,
            branches=self._read("protected branches", "needs the role Developer", self._branches),
            tags=self._read("protected tags", "needs the role Maintainer", self._tags),
            variables=variables,
            group_variables=group_reason,
            runners=self._read("runners", "needs the role Maintainer", self._runners),
            resource_groups=self._read("resource groups", "needs the role Developer", self._resource_groups),
            environments=self._read("environments", "needs the role Reporter", self._environments),
            resets_approvals=self._read(
                "approval settings",
                "needs the role Maintainer",
                lambda: bool(self._project.approvals.get(obey_rate_limit=False).reset_approvals_on_push),
                missing="this GitLab has no such setting: it is of Premium",
            ),
            job_tokens=self._job_tokens(platform) if platform else no_platform,
            platform_tags=self._platform_tags(platform, tags) if platform else no_platform,
            platform_branch=self._platform_branch(platform) if platform else no_platform,
            users=self._read("users", "needs the scope read_api", lambda: {one: self._is_user(one) for one in users}),
            groups=self._access.groups(groups),
            token=self._access.token(),
            starters=self._access.starters(),
            platform_readers=self._access.platform_readers(platform) if platform else no_platform,
        )

    def _read(self, what: str, needs: str, question: Callable[[], Part], missing: str | None = None) -> Part | Unseen:
        return read_part(self._connection, what, needs, question, missing)

    def _own(self) -> Project:
        number = self._project.get_id()
        assert number is not None, "a project is asked for by its number or path"
        found = self._client.projects.get(number, obey_rate_limit=False).attributes
        return Project(
            path=str(found["path_with_namespace"]),
            default_branch=str(found.get("default_branch") or "main"),
            visibility=str(found.get("visibility", "private")),
            merge_method=found.get("merge_method"),
            pipelines_must_succeed=found.get("only_allow_merge_if_pipeline_succeeds"),
            skipped_counts_as_success=found.get("allow_merge_on_skipped_pipeline"),
            is_personal=(found.get("namespace") or {}).get("kind") == "user",
            variables_role=_variables_role(found),
        )

    def _branches(self) -> tuple[Protected, ...]:
        return tuple(_protected(one, "push_access_levels") for one in everything(self._project.protectedbranches))

    def _tags(self) -> tuple[Protected, ...]:
        return tuple(_protected(one, "create_access_levels") for one in everything(self._project.protectedtags))

    def _variables(self, owner: Any, path: str) -> tuple[Variable, ...]:
        """The variables of a project or a group; their values are let go of here."""
        return tuple(
            Variable(
                key=str(one["key"]),
                scope=str(one.get("environment_scope", "*")),
                protected=bool(one.get("protected")),
                masked=bool(one.get("masked")) or bool(one.get("hidden")),
                is_file=one.get("variable_type") == "file",
                origin=path,
            )
            for one in everything(owner.variables)
        )

    def _of_groups(self, path: str) -> tuple[list[Variable], Unseen | None]:
        """The variables of all groups above the project, and why some could not be read, if so."""
        found: list[Variable] = []
        reason = None
        parts = path.split("/")[:-1]
        for count in range(len(parts), 0, -1):
            group = "/".join(parts[:count])
            of_group = self._read(
                "a group's variables", f"variables of the group {group} need its role Owner", self._asking(group)
            )
            if isinstance(of_group, Unseen):
                reason = of_group
            else:
                found += of_group
        return found, reason

    def _asking(self, group: str) -> Callable[[], tuple[Variable, ...]]:
        return lambda: self._variables(self._client.groups.get(group, lazy=True), f"the group {group}")

    def _runners(self) -> tuple[Runner, ...]:
        listed = [one for one in everything(self._project.runners) if one.get("active", True) and not one.get("paused")]
        online = [one for one in listed if one.get("status", "online") == "online"]
        return tuple(self._runner(one) for one in online[:_MOST_RUNNERS])

    def _runner(self, one: dict[str, Any]) -> Runner:
        told = self._client.runners.get(one["id"], obey_rate_limit=False).attributes
        name = str(told.get("description") or one["id"])
        return Runner(name, frozenset(map(str, told.get("tag_list") or ())), bool(told.get("run_untagged")))

    def _resource_groups(self) -> dict[str, str]:
        return {str(one["key"]): str(one["process_mode"]) for one in everything(self._project.resource_groups)}

    def _environments(self) -> tuple[DeployedTo, ...]:
        return tuple(
            DeployedTo(str(one["name"]), one.get("auto_stop_setting")) for one in everything(self._project.environments)
        )

    def _job_tokens(self, platform: str) -> JobTokens | Unseen:
        """Public and internal code may be cloned by every job, whatever the list says."""
        what, needs = (
            "the platform project's job token permissions",
            "needs the role Maintainer in the platform project",
        )
        other = self._client.projects.get(platform, lazy=True)

        def is_clonable() -> bool:
            return is_open(self._client.projects.get(platform, obey_rate_limit=False).attributes)

        if self._read(what, needs, is_clonable) is True:
            return JobTokens(limited=False, is_open=True)

        def question() -> JobTokens:
            scope = other.job_token_scope.get(obey_rate_limit=False)
            return JobTokens(
                limited=bool(scope.inbound_enabled),
                projects=frozenset(str(one["path_with_namespace"]) for one in everything(scope.allowlist)),
                groups=frozenset(self._group_path(str(one["web_url"])) for one in everything(scope.groups_allowlist)),
            )

        return self._read(what, needs, question)

    def _platform_tags(self, platform: str, tags: Iterable[str]) -> dict[str, bool] | Unseen:
        other = self._client.projects.get(platform, lazy=True)

        def question() -> dict[str, bool]:
            # a project that this token does not see has no tags to it either: that would be another 404
            self._client.projects.get(platform, obey_rate_limit=False)
            return {tag: self._is(lambda tag=tag: other.tags.get(tag, obey_rate_limit=False)) for tag in tags}  # type: ignore[misc]  # each its own

        return self._read("the platform's tags", "needs the role Reporter in the platform project", question)

    def _platform_branch(self, platform: str) -> Branch | Unseen:
        """The branch from which the gate reads what it asks for."""
        other = self._client.projects.get(platform, lazy=True)

        def question() -> Branch:
            name = str(self._client.projects.get(platform, obey_rate_limit=False).attributes["default_branch"])
            found = other.branches.get(name, obey_rate_limit=False).attributes
            return Branch(name, bool(found["protected"]), bool(found.get("developers_can_push")))

        return self._read("the platform's branch", "needs the role Reporter in the platform project", question)

    def _group_path(self, page: str) -> str:
        """The full path of a group by its page, which is all that the list tells of it."""
        path = page.removeprefix(str(self._client.url)).strip("/")
        return path.removeprefix("groups/")

    def _is_user(self, name: str) -> bool:
        found = self._client.users.list(username=name, get_all=False, obey_rate_limit=False)
        return any(str(user.username).casefold() == name.casefold() and user.state == "active" for user in found)

    def _is(self, question: Callable[[], object]) -> bool:
        """Whether the thing that the question gets is there."""
        try:
            question()
        except GitlabError as error:
            if error.response_code != 404:
                raise
            return False
        return True


def _variables_role(project: dict[str, Any]) -> str | None:
    """From which role on; a project without the restriction says some role all the same."""
    if project.get("restrict_user_defined_variables") is False:
        return "developer"
    role = project.get("ci_pipeline_variables_minimum_override_role")
    return str(role) if role else None


def _protected(rule: dict[str, Any], key: str) -> Protected:
    """Premium tells of single users and groups among the levels."""
    entries = rule[key]
    levels = [int(one["access_level"]) for one in entries if one.get("access_level") is not None]
    others = any(one.get("user_id") or one.get("group_id") or one.get("deploy_key_id") for one in entries)
    return Protected(str(rule["name"]), tuple(levels), others, bool(rule.get("allow_force_push")))
