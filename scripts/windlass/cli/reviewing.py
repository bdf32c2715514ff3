"""What the commands of reviews have in common: the review that is meant, its release, its end and its address."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from windlass.cli import console, context, delivering
from windlass.spec.errors import DeliveryError, WindlassError
from windlass.spec.review import environment_of

if TYPE_CHECKING:
    from windlass.delivery.promotion.perform import Outcome
    from windlass.delivery.promotion.remove import Removal
    from windlass.delivery.release.archive import Archive
    from windlass.delivery.review.reviews import Review
    from windlass.delivery.review.rows import Cleared
    from windlass.spec.environment import Environment
    from windlass.spec.release import Provenance
    from windlass.spec.state import State


def review_of(project: str, iid: int | None) -> "Review":
    """The review of the project's merge request, whatever is live of it."""
    from windlass.delivery.review.reviews import Review

    if iid is None:
        raise WindlassError("there is no merge request here; give its number with --iid")
    review = Review(project, iid, None)
    try:
        _ = review.name
    except ValueError as error:
        raise DeliveryError(f"{project} cannot have a review: {error}") from error
    return review


def first_without_gate(all_environments: "Mapping[str, Environment]") -> "Environment":
    """The environment of reviews; DeliveryError where nothing may come there that nobody approved.

    A job asks the protected branch whether there is a gate: a merge request may say anything in its files.
    """
    from windlass.cli.gating import gatekeeper

    environment = context.first(all_environments)
    if environment.gate is not None or gatekeeper(environment) is not None:
        raise DeliveryError(
            f"{environment.name} has a gate, and a review comes before anybody has approved: "
            f"reviews need a first environment without 'gate' in environments/{environment.name}.yml"
        )
    return environment


def build(
    review: "Review", environment: "Environment", environments_dir: str | None, key_file: str | None
) -> "tuple[Archive, Provenance]":
    """The review's release of the working tree, and the record of it, both published."""
    from windlass.adapters import git
    from windlass.cli import signing
    from windlass.cli.building import build_here
    from windlass.delivery.promotion.models import require_trained
    from windlass.delivery.release.archive import read_archive
    from windlass.delivery.release.publish import bound_models, publish
    from windlass.delivery.release.signature import sign

    commit = delivering.commit_here()
    if not git.is_clean(context.project_folder()):
        raise DeliveryError(f"files here differ from commit {commit[:12]}; commit them: a review is what a commit says")
    key = signing.key(key_file, os.environ)
    archive = build_here(review.name, environments_dir, {environment.name: environment}, review.iid)
    place = delivering.place(environment)
    models = read_archive(review.name, archive.digest, archive.content).manifest.models
    require_trained(place, models)
    record = _record(review, archive.digest, commit, bound_models(place, models))
    record = sign(record, key) if key else record
    publish(place, archive, record)
    return archive, record


def _record(review: "Review", digest: str, commit: str, models: dict[str, str]) -> "Provenance":
    from datetime import UTC, datetime

    from windlass import __version__
    from windlass.spec.release import Provenance

    url = os.environ.get("CI_PROJECT_URL")
    return Provenance(
        project=review.name,
        release=digest,
        commit=commit,
        ref=os.environ.get("CI_COMMIT_REF_NAME"),
        merge_request={"iid": review.iid, "url": f"{url}/-/merge_requests/{review.iid}" if url else None},
        job_url=os.environ.get("CI_JOB_URL"),
        project_url=url,
        actor=delivering.author().actor,
        built_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool_version=__version__,
        models=models,
    )


def make_live(review: "Review", environment: "Environment", archive: "Archive", record: "Provenance") -> "Outcome":
    """Makes the release live beside whatever else is."""
    from windlass.delivery.plan.plan import Origin
    from windlass.delivery.promotion.perform import perform
    from windlass.delivery.release.archive import read_archive
    from windlass.delivery.review.up import deciding_review

    place = delivering.place(environment)
    release = read_archive(review.name, archive.digest, archive.content)
    origin = Origin(record.commit, None, record.project_url)
    decide = deciding_review(place, context.runtime_settings(environment), release, origin)
    author = delivering.author(f"review of !{review.iid} of {review.project}")
    return perform(decide, place, place, author, progress=console.step)


def link(environment: "Environment", review: "Review") -> str | None:
    """Where Airflow shows the review's DAGs; None where the environment names no Airflow."""
    from pydantic import SecretStr

    from windlass.spec.environment import resolve

    if environment.airflow is None:
        return None
    nobody = {"username": "", "password": SecretStr("")}  # a link needs no account
    settings = environment.airflow.model_copy(update=nobody)
    settings = resolve(settings, os.environ, f"environments/{environment.name}.yml: airflow")
    return f"{settings.url.rstrip('/')}/dags?tags={review.name}"


def closed(environment: "Environment", project: str) -> "list[Review]":
    """The project's reviews, live or still in Airflow, whose merge request is no longer open."""
    from windlass.adapters import git
    from windlass.adapters.gitlab.connection import connection_here
    from windlass.adapters.gitlab.merge_request import standings
    from windlass.delivery.history.states import load_current
    from windlass.delivery.review.reviews import closed_ones, reviews_of

    place, api = delivering.place(environment), delivering.airflow(environment)
    dags = api.dags(delivering.trial(environment).bundle) if api else []
    reviews = reviews_of(project, load_current(place.code, place.prefix).state, dags)
    if not reviews:
        return []
    connection = connection_here(git.origin_path(context.project_folder()))
    if connection is None:
        raise WindlassError(
            "--closed asks GitLab: run it in a job, with WINDLASS_GITLAB_TOKEN (read_api) as a variable"
        )
    known = standings(connection, [review.iid for review in reviews])
    for review in reviews:
        if review.iid not in known:
            console.warn(
                f"GitLab shows no merge request !{review.iid}; windlass review down --iid {review.iid} ends it"
            )
    return closed_ones(reviews, known)


@dataclass(frozen=True)
class End:
    """How a review ended: what was taken out, and what became of Airflow's rows; None where nobody looked."""

    review: "Review"
    removal: "Removal"
    state: str | None
    cleared: "Cleared | None"

    def describe(self) -> list[str]:
        """The end in lines for a person."""
        if self.cleared is None:
            return self.removal.describe()
        gone = [f"  {dag_id} is gone from Airflow" for dag_id in self.cleared.gone]
        return [*self.removal.describe(), *gone, *(f"  {dag_id} stays: {why}" for dag_id, why in self.cleared.left)]

    def as_json(self) -> dict[str, Any]:
        """The end for a machine."""
        cleared = {"gone": list(self.cleared.gone), "left": dict(self.cleared.left)} if self.cleared else None
        return {**self.removal.as_json(), "iid": self.review.iid, "state": self.state, "airflow": cleared}


def take_down(review: "Review", environment: "Environment") -> End:
    """Takes the review out. An Airflow that is away keeps its rows, and that is only said: the review is out."""
    from windlass.delivery.promotion.remove import remove

    place = delivering.place(environment)
    author = delivering.author(f"end of {environment_of(review.project, review.iid)}")
    removal, swap = remove(place, review.name, author, progress=console.step)
    cleared = None
    try:
        cleared = _clear(review, environment, swap.state) if swap else None
    except WindlassError as trouble:
        console.warn(f"Airflow of {environment.name} keeps what it has of {review.name}: {trouble}")
    return End(review, removal, swap.state.name if swap else None, cleared)


def _clear(review: "Review", environment: "Environment", state: "State") -> "Cleared | None":
    """What became of the rows, once Airflow has noticed that the DAGs went."""
    from windlass.delivery.plain.verify import expectation
    from windlass.delivery.review.rows import clear_rows
    from windlass.delivery.verification.verify import verify

    api, place = delivering.airflow(environment), delivering.place(environment)
    if api is None:
        return None
    wanted = delivering.trial(environment)
    verify(api, wanted.bundle, expectation(place, state, review.name), wanted.timeout, progress=console.step)
    return clear_rows(api, wanted.bundle, review.name)
