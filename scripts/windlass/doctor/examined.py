"""All that the checks look at: the machine, the project's files and the settings of its project in GitLab."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windlass.doctor.ci_file import CiFile
from windlass.spec.codeowners import CodeOwners
from windlass.spec.environment import Environment
from windlass.spec.machine import Machine
from windlass.spec.placeholder import names_in
from windlass.spec.project_settings import NotSeen, ProjectSettings, Unseen, Variable, seen
from windlass.spec.roles import Roles

NO_ENVIRONMENTS = Unseen(
    "the environments are not here: give --environments, or clone the platform as .windlass/platform"
)
NO_CI_FILE = Unseen("there is no .gitlab-ci.yml here and none could be read from GitLab")

TOKEN = "WINDLASS_GITLAB_TOKEN"  # noqa: S105 - the name of the variable
AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_ALWAYS_SECRET = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", TOKEN})


@dataclass(frozen=True)
class Examined:
    """What was found; each check takes from it what it is about."""

    machine: Machine
    settings: ProjectSettings = field(default_factory=ProjectSettings)
    environments: Mapping[str, Environment] | Unseen = NO_ENVIRONMENTS
    roles: Roles | Unseen | None = NO_ENVIRONMENTS
    owners: CodeOwners = field(default_factory=CodeOwners)
    ci_file: CiFile | Unseen = NO_CI_FILE
    has_models: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def wanted(self) -> Iterator[tuple[Environment, str]]:
        """Each environment with each `${NAME}` that its file wants, sorted; upstream comes first."""
        for environment in seen(self.environments).values():
            for name in sorted(names_in(environment)):
                yield environment, name

    def variable(self, name: str, environment: str) -> Variable | None:
        """The variable of that name that jobs of the environment get.

        The project's goes before a group's, and then the one with the narrowest scope, as in GitLab.
        """
        found = [one for one in seen(self.settings.variables) if one.key == name and matches(one.scope, environment)]
        nearest = [one for one in found if one.origin == found[0].origin]
        return max(nearest, key=lambda one: len(one.scope.replace("*", "")), default=None)

    def secrets(self) -> Iterator[tuple[Environment, Variable]]:
        """Each secret variable that jobs of an environment see: passwords, keys, and what Airflow is given."""
        for environment in seen(self.environments).values():
            for name in sorted(secret_names(environment) | _ALWAYS_SECRET):
                if variable := self.variable(name, environment.name):
                    yield environment, variable

    def gated(self) -> list[Environment]:
        """The environments that have a gate."""
        return [one for one in seen(self.environments).values() if one.gate is not None]

    def groups(self, environment: Environment) -> list[str]:
        """Each group whose members the gate of the environment asks for."""
        if environment.gate is None:
            return []
        roles = seen(self.roles) or {}
        named = {name for _, name, _ in environment.gate.named_roles} | {name for name, _, _ in self.owners.roles}
        of_roles = {group for name in named if name in roles for group in roles[name].groups}
        rules = [rule for section in self.owners.sections for rule in section.rules]
        return sorted(of_roles | {group for rule in rules for group in rule.owners.groups})

    def need_all_variables(self) -> None:
        """NotSeen where a variable that is missing may be one of a group's that could not be read."""
        if self.settings.group_variables is not None:
            raise NotSeen(self.settings.group_variables.reason)


def secret_names(environment: Environment) -> set[str]:
    """The names in the environment's file whose values nobody may read: not addresses and users' names."""
    kept = names_in(environment.variables) | names_in(environment.connections)
    return kept | (names_in(environment.airflow.password) if environment.airflow else set())


def matches(pattern: str, name: str) -> bool:
    """Whether GitLab's pattern, in which only `*` is special, matches the whole name."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    if not name.startswith(first):
        return False
    place, last = len(first), rest.pop()
    for part in rest:
        found = name.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(name) - place >= len(last) and name.endswith(last)
