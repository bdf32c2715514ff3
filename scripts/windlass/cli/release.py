"""`windlass release`: builds the project's release once and publishes it in the first environment."""

import os
from typing import TYPE_CHECKING

import click

from windlass.cli import context
from windlass.cli.signing import key_option

if TYPE_CHECKING:
    from windlass.spec.release import Provenance


@click.command("release")
@key_option
@context.environments_option
@context.project_option
@context.json_option
def command(key_file: str | None, environments_dir: str | None, project_given: str | None, as_json: bool) -> None:
    """Build the release of this commit and publish it.

    Lints, pins each model to the version that the working tree makes (it must be trained: `windlass train`), renders
    the pipelines and packs them with all the code that they import. The archive's name is its SHA-256: the same
    content is the same release. It is kept in the environment without upstream; nothing becomes live before
    `windlass promote`. Exits with 1 when lint finds problems.

    With a key, the record of where the release came from is signed; an environment with `signers` takes nothing else.
    Run it again with the key for a release that was published without.

    \b
    Examples:
      windlass release
      windlass release --sign-key release.pem --json
    """
    from windlass.adapters import git
    from windlass.cli import console, delivering, signing
    from windlass.cli.building import build_here
    from windlass.delivery.promotion.models import require_trained
    from windlass.delivery.release.archive import read_archive
    from windlass.delivery.release.publish import bound_models, publish
    from windlass.delivery.release.signature import sign
    from windlass.spec.errors import DeliveryError

    key = signing.key(key_file, os.environ)
    commit, folder = delivering.commit_here(), context.project_folder()
    if not git.is_clean(folder):
        raise DeliveryError(
            f"files here differ from commit {commit[:12]}; commit them: a release is what a commit says"
        )
    all_environments = context.environments(environments_dir)
    signing.warn_of_refusals(all_environments, key)
    project = context.project(project_given)
    archive = build_here(project, environments_dir, all_environments)
    manifest = read_archive(project, archive.digest, archive.content).manifest
    first = context.first(all_environments)
    place = delivering.place(first)
    require_trained(place, manifest.models)
    record = _provenance(project, archive.digest, commit, bound_models(place, manifest.models))
    is_new = publish(place, archive, sign(record, key) if key else record)
    result = {"project": project, "release": archive.digest, "commit": commit, "environment": first.name, "new": is_new}
    result |= {"models": dict(manifest.models), "pipelines": sorted(manifest.pipelines), "bytes": len(archive.content)}
    result |= {"signed_by": key.public if key else None}
    if as_json:
        console.print_json(result)
        return
    what = "published" if is_new else "is published already"
    console.say(f"release {archive.digest[:12]} of {project} {what} in {first.name} (commit {commit[:12]})")
    for dag_id in sorted(manifest.pipelines):
        console.say(f"  pipeline {dag_id}")
    for name, version in manifest.models.items():
        console.say(f"  model {name} {version}")
    if key:
        console.say(f"  signed by {key.public}")


def _provenance(project: str, digest: str, commit: str, models: dict[str, str]) -> "Provenance":
    from datetime import UTC, datetime

    from windlass import __version__
    from windlass.adapters import git
    from windlass.adapters.gitlab.project import project_in_ci
    from windlass.cli import console, delivering
    from windlass.spec.errors import WindlassError
    from windlass.spec.release import Provenance

    merge_request = None
    try:
        gitlab = project_in_ci()
        merge_request = gitlab.merge_request(commit) if gitlab else None
    except WindlassError as error:
        console.warn(f"the release will not say which merge request it came from: {error}")
    return Provenance(
        project=project,
        release=digest,
        commit=commit,
        tag=delivering.tag_here(commit),
        ref=os.environ.get("CI_COMMIT_REF_NAME") or git.branch(context.project_folder()),
        merge_request=merge_request,
        job_url=os.environ.get("CI_JOB_URL"),
        project_url=os.environ.get("CI_PROJECT_URL"),
        actor=delivering.author().actor,
        built_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool_version=__version__,
        models=models,
    )
