"""What `windlass doctor` looks at: this machine, the files here, and GitLab where it can be asked."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.doctor.ci_file import CiFile, read_ci_file
from windlass.doctor.examined import NO_CI_FILE, NO_ENVIRONMENTS, Examined
from windlass.spec.codeowners import OWNERS_FILE, CodeOwners, parse_owners
from windlass.spec.environment import Environment, environments_folder, load_environments
from windlass.spec.errors import WindlassError
from windlass.spec.project_settings import ProjectSettings, Unseen
from windlass.spec.roles import Roles

if TYPE_CHECKING:
    from windlass.adapters.gitlab.project_settings import SettingsReader


def look_at_machine() -> Examined:
    """The machine alone."""
    from windlass.adapters.machine import this_machine

    return Examined(this_machine())


def look(gitlab_project: str | None, environments_dir: str | None) -> Examined:
    """Everything; TransientError when GitLab does not answer."""
    machine = look_at_machine().machine
    folder = context.project_folder()
    environments, roles, owners = _policy(folder, environments_dir)
    has_models = any((folder / "models").glob("*.yml"))
    reader = _reader(folder, gitlab_project)
    if reader is None:
        return Examined(machine, ProjectSettings(), environments, roles, owners, _here(folder), has_models)
    console.step("asking GitLab")
    text = reader.ci_file()
    ci_file = _here(folder) if isinstance(text, Unseen) else read_ci_file(text)
    if isinstance(ci_file, CiFile):
        platform = next(iter(ci_file.platforms), None)
        tags = sorted({one.ref for one in ci_file.includes if one.ref and one.project == platform})
    else:
        platform, tags = None, []
    holders = [] if roles is None or isinstance(roles, Unseen) else list(roles.values())
    users = sorted({user for role in holders for user in role.users})
    groups = {group for role in holders for group in role.groups}
    groups |= {group for section in owners.sections for rule in section.rules for group in rule.owners.groups}
    settings = reader.settings(platform, tags, users, sorted(groups))
    return Examined(machine, settings, environments, roles, owners, ci_file, has_models)


def _reader(folder: Path, path: str | None) -> "SettingsReader | None":
    from windlass.adapters import git
    from windlass.adapters.gitlab.connection import connection_here
    from windlass.adapters.gitlab.project_settings import SettingsReader

    connection = connection_here(path or git.origin_path(folder))
    return SettingsReader(connection, os.environ) if connection else None


def _here(folder: Path) -> CiFile | Unseen:
    """The CI file in the working copy."""
    path = folder / ".gitlab-ci.yml"
    return read_ci_file(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else NO_CI_FILE


def _policy(
    folder: Path, given: str | None
) -> tuple[Mapping[str, Environment] | Unseen, Roles | Unseen | None, CodeOwners]:
    """The environments and roles, or why they are not known, and the path rules as far as they can be read."""
    from windlass.spec.files import parse_file
    from windlass.spec.roles import read_roles

    found = environments_folder(folder, given)
    if found is None:
        return NO_ENVIRONMENTS, NO_ENVIRONMENTS, CodeOwners()
    try:
        environments: Mapping[str, Environment] | Unseen = load_environments(found)
    except WindlassError as error:
        environments = Unseen(f"{error}; `windlass lint` shows everything")
    rules = found / "CODEOWNERS"
    owners = parse_owners(OWNERS_FILE, rules.read_bytes())[0] if rules.is_file() else CodeOwners()
    if not (found / "roles.yml").is_file():
        return environments, None, owners
    document = parse_file(found.parent, f"{found.name}/roles.yml")
    roles = read_roles(document)
    return environments, Unseen(f"{document.problems[0]}") if roles is None else roles, owners
