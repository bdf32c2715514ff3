"""What an environment's gate asks for, from the texts of the protected branch; texts that are wrong let nobody pass."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from windlass.spec.codeowners import OWNERS_FILE, CodeOwners, Owners, parse_owners
from windlass.spec.decision import PolicyTexts
from windlass.spec.document import parse_document
from windlass.spec.environment import Environment, read_environment
from windlass.spec.errors import DeliveryError
from windlass.spec.gate import PromotionGate
from windlass.spec.problem import Problem
from windlass.spec.roles import ROLES_FILE, Role, Roles, names, read_roles, unknown_role

FOLDER = "environments"


@dataclass(frozen=True)
class Policy:
    """The environment as the protected branch describes it, its gate, the roles, and who owns which paths."""

    environment: Environment
    gate: PromotionGate
    roles: Roles
    owners: CodeOwners

    def groups(self) -> list[str]:
        """Every group whose members may have to be known."""
        named = [name for _, name, _ in self.gate.named_roles] + [name for name, _, _ in self.owners.roles]
        of_roles = {group for name in named for group in self.roles[name].groups}
        rules = [rule for section in self.owners.sections for rule in section.rules]
        return sorted(of_roles | {group for rule in rules for group in rule.owners.groups})


def read_policy(texts: PolicyTexts, name: str) -> tuple[Environment, Policy | None]:
    """The environment `name`, and its policy where it has a gate; DeliveryError where anything of it is wrong."""
    documents = {
        PurePosixPath(path).stem: parse_document(path, text.encode())
        for path, text in sorted(texts.files.items())
        if path.endswith(".yml") and path != ROLES_FILE
    }
    if name not in documents or name == "base":
        raise DeliveryError(f"{_where(texts)} has no {FOLDER}/{name}.yml; whether {name} has a gate cannot be told")
    environment = read_environment(name, documents)
    if environment is None:
        raise _unreadable(texts, [problem for document in documents.values() for problem in document.problems])
    if environment.gate is None:
        return environment, None
    roles: dict[str, Role] = {}
    if ROLES_FILE in texts.files:
        document = parse_document(ROLES_FILE, texts.files[ROLES_FILE].encode())
        found = read_roles(document)
        if found is None:
            raise _unreadable(texts, document.problems)
        roles = found
    owners, document = parse_owners(OWNERS_FILE, texts.files.get(OWNERS_FILE, "").encode())
    if document.problems:
        raise _unreadable(texts, document.problems)
    unknown = [why for _, _, why in owners.unknown_roles(roles)]
    unknown += [unknown_role(role, roles) for _, role, _ in environment.gate.named_roles if role not in roles]
    if unknown:
        raise DeliveryError(f"the gate of {name} on {_where(texts)} cannot be passed: {unknown[0]}; correct it there")
    return environment, Policy(environment, environment.gate, roles, owners)


@dataclass(frozen=True)
class People:
    """Who is meant by a role or by owners: people by name as it is compared, and groups that could not be asked."""

    known: frozenset[str]
    unasked: tuple[str, ...]
    shown: str


def holders(policy: Policy, role: str, groups: dict[str, list[str] | None]) -> People:
    """Who holds the role."""
    found = policy.roles[role]
    return _people(found.users, found.groups, groups)


def owning(policy: Policy, owners: Owners, groups: dict[str, list[str] | None]) -> People:
    """Whose approval counts for a path with these owners."""
    roles = [policy.roles[name] for name in owners.roles]
    users = [*owners.users, *(user for role in roles for user in role.users)]
    return _people(users, [*owners.groups, *(group for role in roles for group in role.groups)], groups)


def _people(users: list[str], wanted: list[str], groups: dict[str, list[str] | None]) -> People:
    members = [member for group in wanted for member in groups.get(group) or []]
    unasked = tuple(group for group in wanted if groups.get(group) is None)
    shown = [*dict.fromkeys(users), *(f"a member of {group}" for group in dict.fromkeys(wanted))]
    return People(names([*users, *members]), unasked, _either(shown))


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _where(texts: PolicyTexts) -> str:
    return f"{texts.branch} of {texts.path}"


def _unreadable(texts: PolicyTexts, problems: list[Problem]) -> DeliveryError:
    first = problems[0] if problems else "it is empty"
    return DeliveryError(f"the policy on {_where(texts)} cannot be read, so nothing passes: {first}")
