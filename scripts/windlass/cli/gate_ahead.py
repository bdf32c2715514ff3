"""What the gate will ask of this pipeline's merge request, before there is a release."""

import os
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.cli.gating import gatekeeper
from windlass.spec.errors import DeliveryError, WindlassError

if TYPE_CHECKING:
    from windlass.delivery.gate.outlook import Outlook
    from windlass.spec.environment import Environment

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def merge_request_here() -> int | None:
    """The number of the merge request that this pipeline is of; DeliveryError where it is in another project."""
    iid = os.environ.get("CI_MERGE_REQUEST_IID", "")
    if not _NUMBER.fullmatch(iid):
        return None
    here, there = os.environ.get("CI_PROJECT_ID"), os.environ.get("CI_MERGE_REQUEST_PROJECT_ID")
    if here and there and here != there:
        raise DeliveryError(
            f"!{iid} comes from a fork, whose jobs may not ask about it; a member of the project that it goes into can "
            "run its pipeline there"
        )
    return int(iid)


def outlook_now(name: str, iid: int, environments_dir: str | None, project_given: str | None) -> "Outlook | None":
    """What the gate of the environment says of the open merge request; None where it has no gate."""
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name)
    upstream = find_environment(all_environments, environment.upstream or name)
    gate = gatekeeper(environment, upstream, is_binding=False)
    if gate is None:
        return None
    project, critical, live_is_told = context.project(project_given), set[str](), True
    if gate.policy.gate.critical:
        critical = _critical_here(environment, environments_dir)
        try:
            critical |= _critical_live(environment, project)
        except WindlassError as trouble:  # jobs of merge requests seldom have a right to read there
            console.warn(f"what is live in {name} is not known here: {trouble}")
            live_is_told = False
    return gate.look_ahead(iid, project, sorted(critical), live_is_told=live_is_told)


def _critical_here(environment: "Environment", environments_dir: str | None) -> set[str]:
    """The pipelines of the working tree that are critical there; one that cannot be read may be."""
    from windlass.lint.report import check_with_environments
    from windlass.spec.defaults import FILE as DEFAULTS
    from windlass.spec.resolved import resolved

    _, report = check_with_environments(context.project_folder(), environments_dir)
    unread = (
        {path for path in report.files if path.startswith("pipelines/")}
        - report.pipelines.keys()
        - {f"pipelines/{DEFAULTS}"}
    )
    if unread:
        console.warn(f"counted as critical, for they cannot be read: {', '.join(sorted(unread))}; see windlass lint")
    of_here = report.pipelines.values()
    found = {one.dag.name for one in of_here if resolved(one).within(environment.name).dag.get("critical")}
    return found | {PurePosixPath(path).stem for path in unread}


def _critical_live(environment: "Environment", project: str) -> set[str]:
    """The pipelines of the project that are critical in the release that is live there."""
    from windlass.cli import delivering
    from windlass.delivery.gate.question import critical_pipelines
    from windlass.delivery.history.states import load_current
    from windlass.delivery.promotion.survey import load_release

    place = delivering.place(environment)
    state = load_current(place.code, place.prefix).state
    live = state.projects.get(project) if state else None
    release = load_release(place, project, live.release) if live else None
    return set(critical_pipelines(environment.name, release))
