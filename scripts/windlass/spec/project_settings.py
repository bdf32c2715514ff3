"""The settings of a GitLab project that windlass relies on, as they were read; of variables never a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar


@dataclass(frozen=True)
class Unseen:
    """What stands in the place of a setting that could not be read, and why."""

    reason: str


class NotSeen(Exception):
    """Raised by `seen`: a question about a setting that nobody could read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Value = TypeVar("Value")

NOT_ASKED = Unseen(
    "no GitLab was asked: set WINDLASS_GITLAB_URL and WINDLASS_GITLAB_TOKEN, in a clone or with --gitlab-project"
)


def seen(value: Value | Unseen) -> Value:
    """The value itself; NotSeen with the reason when it could not be read."""
    if isinstance(value, Unseen):
        raise NotSeen(value.reason)
    return value


@dataclass(frozen=True)
class Project:
    """The project's own settings; None where GitLab did not tell this token."""

    path: str
    default_branch: str
    visibility: str = "private"
    merge_method: str | None = None
    pipelines_must_succeed: bool | None = None
    skipped_counts_as_success: bool | None = None
    is_personal: bool = False
    """Whether it is a user's own, with no group above it."""
    variables_role: str | None = None
    """Who may give variables to a pipeline or job: `no_one_allowed`, or from which role on."""


@dataclass(frozen=True)
class Protected:
    """A protected branch or tag (`*` matches anything); levels as GitLab counts them: 30 developers, 40 maintainers.

    `push` is who may push or create, `others` whether single users or groups may too.
    """

    name: str
    push: tuple[int, ...] = ()
    others: bool = False
    force_push: bool = False


@dataclass(frozen=True)
class Variable:
    """A CI/CD variable of the project or of a group above it, without its value."""

    key: str
    scope: str = "*"
    protected: bool = False
    masked: bool = False
    is_file: bool = False
    origin: str = "the project"


@dataclass(frozen=True)
class Runner:
    """A runner that is there for the project."""

    name: str
    tags: frozenset[str] = frozenset()
    untagged: bool = False
    online: bool = True


@dataclass(frozen=True)
class DeployedTo:
    """An environment of GitLab's; `auto_stop` is `always` or `with_action`, None where GitLab does not know that."""

    name: str
    auto_stop: str | None = None


@dataclass(frozen=True)
class JobTokens:
    """Whose job tokens the platform project lets in: everybody's, or those of projects and groups by their paths.

    `is_open` is whether its code is public or internal: no list keeps a job from cloning that.
    """

    limited: bool
    projects: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    is_open: bool = False


@dataclass(frozen=True)
class Readers:
    """Who may read the code of the platform project; `everybody` where it is public or internal."""

    everybody: bool = False
    people: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Group:
    """A group that a role or path rule names; `members` are its active ones, None where this token may not read them.

    A project's token is a member of that project alone: of a private group GitLab does not tell it who is in it.
    """

    is_private: bool = True
    members: frozenset[str] | None = frozenset()


TokenKind = Literal["person", "project", "group", "service account"]


@dataclass(frozen=True)
class Token:
    """The token with which GitLab was asked: whose it is, and the level of its owner in the project (0 for none)."""

    owner: str
    kind: TokenKind = "person"
    level: int = 0
    in_job: bool = False
    environment: str = ""
    """That of the job, where it has one."""
    on_open_branch: bool = False
    """Whether the job is of a branch or tag that is not protected."""

    @property
    def is_of_jobs(self) -> bool:
        """Whether jobs have this very one: it was found in a job, or its owner is no person."""
        return self.in_job or self.kind != "person"


@dataclass(frozen=True)
class Branch:
    """The default branch of a project, as those see it who may only read there."""

    name: str
    protected: bool
    developers_push: bool = False


@dataclass(frozen=True)
class ProjectSettings:
    """All that is asked of GitLab, each part as it was read or with the reason why it was not."""

    project: Project | Unseen = NOT_ASKED
    branches: tuple[Protected, ...] | Unseen = NOT_ASKED
    tags: tuple[Protected, ...] | Unseen = NOT_ASKED
    variables: tuple[Variable, ...] | Unseen = NOT_ASKED
    """The project's, then those of the groups above it, the nearest first."""
    group_variables: Unseen | None = None
    """Why the variables of a group could not be read, when they could not."""
    runners: tuple[Runner, ...] | Unseen = NOT_ASKED
    resource_groups: dict[str, str] | Unseen = NOT_ASKED
    """Process mode of each resource group by its key."""
    environments: tuple[DeployedTo, ...] | Unseen = NOT_ASKED
    resets_approvals: bool | Unseen = NOT_ASKED
    job_tokens: JobTokens | Unseen = NOT_ASKED
    platform_tags: dict[str, bool] | Unseen = NOT_ASKED
    """Whether the platform project has each of the tags that are included."""
    platform_branch: Branch | Unseen = NOT_ASKED
    users: dict[str, bool] | Unseen = NOT_ASKED
    """Whether each user whom a role names is there and active."""
    groups: Mapping[str, Group | None] | Unseen = NOT_ASKED
    """Each group that is named; None where this token does not see one there."""
    token: Token | Unseen = NOT_ASKED
    starters: frozenset[str] | Unseen = NOT_ASKED
    """Who may start a pipeline of the project: its active members from the role Developer on."""
    platform_readers: Readers | Unseen = NOT_ASKED
