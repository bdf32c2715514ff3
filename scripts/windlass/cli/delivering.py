"""What the commands that deliver have in common: places, who asks, which release is meant, and the verification."""

import getpass
import os
from typing import TYPE_CHECKING, Any

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.adapters.airflow import AirflowApi
    from windlass.delivery.perform import Author
    from windlass.delivery.place import Place
    from windlass.delivery.verify import Seen
    from windlass.spec.environment import Environment
    from windlass.spec.release import Provenance
    from windlass.spec.state import State


def place(environment: "Environment") -> "Place":
    """The environment's buckets for code and models."""
    from windlass.delivery.place import Place

    code, models = context.store(environment, "code"), context.store(environment, "models")
    return Place(environment.name, environment.prefix, code, models)


def author(reason: str | None = None) -> "Author":
    """Who runs this command, as GitLab or the machine knows them."""
    from windlass.delivery.perform import Author

    return Author(os.environ.get("GITLAB_USER_LOGIN") or _user(), os.environ.get("CI_JOB_URL"), reason)


def _user() -> str | None:
    """Who runs this process; None where its number has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def commit_here() -> str:
    """The commit of this pipeline or of the working tree."""
    from windlass.adapters import git

    commit = os.environ.get("CI_COMMIT_SHA") or git.commit(context.project_folder())
    if not commit:
        raise WindlassError("there is no commit here: run this in a git repository with at least one commit")
    return commit


def tag_here(commit: str) -> str | None:
    """The tag of this pipeline, or outside of CI the tag of the working tree when it stands at `commit`."""
    from windlass.adapters import git

    folder = context.project_folder()
    if os.environ.get("CI"):
        return os.environ.get("CI_COMMIT_TAG") or None
    return git.tag(folder) if git.commit(folder) == commit else None


def published(source: "Place", project: str, digest: str | None, commit: str | None, tag: str | None) -> "Provenance":
    """The release that the options mean; without any, the one of the commit here."""
    from windlass.adapters import git
    from windlass.delivery.find import published_as, published_from, published_tagged

    folder = context.project_folder()
    if digest:
        return published_as(source, project, digest)
    if tag and not commit:
        tagged = git.find_commit(folder, f"refs/tags/{tag}")
        return published_from(source, project, tagged) if tagged else published_tagged(source, project, tag)
    if commit:
        return published_from(source, project, git.find_commit(folder, commit) or commit)
    return published_from(source, project, commit_here())


def airflow(environment: "Environment") -> "AirflowApi | None":
    """The environment's Airflow, or None when its file names none."""
    from windlass.adapters.airflow import AirflowApi
    from windlass.spec.environment import resolve

    if environment.airflow is None:
        return None
    settings = resolve(environment.airflow, os.environ, f"environments/{environment.name}.yml: airflow")
    return AirflowApi(settings, environment.name)


def verified(api: "AirflowApi", environment: "Environment", where: "Place", state: "State", project: str) -> "Seen":
    """What the environment's Airflow reports once it shows the project as it is in `state`."""
    from windlass.delivery.verify import Expectation, verify

    assert environment.airflow is not None
    console.step(f"waiting for the Airflow of {environment.name} to show {state.name}")
    expected = Expectation(where, state, project)
    seconds = environment.verify.timeout.total_seconds()
    return verify(api, environment.airflow.bundle, expected, seconds, progress=console.step)


def seen_as_json(seen: "Seen | None") -> dict[str, Any] | None:
    """What was seen, for a machine; None when nobody looked."""
    if seen is None:
        return None
    return {"state": seen.state, "dags": seen.versions, "gone": seen.gone, "seconds": round(seen.seconds, 1)}


def say_seen(environment: str, seen: "Seen") -> None:
    """What was seen, for a person."""
    console.say(
        f"verified in {seen.seconds:.0f} s: Airflow of {environment} shows {len(seen.versions)} DAGs as promoted"
    )
    for dag_id, version in seen.versions.items():
        same = "" if version == seen.state else f" (unchanged up to {seen.state})"
        console.say(f"  {dag_id} at {version}{same}")
    for dag_id in seen.gone:
        console.say(f"  {dag_id} is gone")
