"""What the commands that deliver have in common: places, who asks, which release is meant, and the verification."""

import getpass
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.adapters.airflow import AirflowApi
    from windlass.delivery.place import Place
    from windlass.delivery.plain.lay_out import LaidOut
    from windlass.delivery.promotion.perform import Author
    from windlass.delivery.verification.judge import Conclusion, Trial
    from windlass.spec.environment import Environment
    from windlass.spec.release import Provenance
    from windlass.spec.state import State


def place(environment: "Environment") -> "Place":
    """The environment's buckets for code and models, and the signers that it trusts."""
    from windlass.delivery.place import Place

    code, models = context.store(environment, "code"), context.store(environment, "models")
    return Place(environment.name, environment.prefix, code, models, environment.signers, environment.bundle == "plain")


def author(reason: str | None = None) -> "Author":
    """Who runs this command, as GitLab or the machine knows them."""
    from windlass.delivery.promotion.perform import Author

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
    from windlass.delivery.release.find import published_as, published_from, published_tagged

    folder = context.project_folder()
    if digest:
        return published_as(source, project, digest)
    if tag and not commit:
        tagged = git.find_commit(folder, f"refs/tags/{tag}")
        return published_from(source, project, tagged) if tagged else published_tagged(source, project, tag)
    if commit:
        return published_from(source, project, git.find_commit(folder, commit) or commit)
    return published_from(source, project, commit_here())


def release_meant(
    all_environments: "Mapping[str, Environment]", environment: "Environment", project: str, name: str
) -> str:
    """The digest of the release that `name` means in `environment` or in one of those before it."""
    from windlass.adapters import git
    from windlass.delivery.release.find import any_release
    from windlass.spec.environment import find_environment

    if re.fullmatch(r"[0-9a-f]{64}", name):
        return name
    way = [environment]
    while way[-1].upstream:
        way.append(find_environment(all_environments, way[-1].upstream))
    tagged = git.find_commit(context.project_folder(), f"refs/tags/{name}")
    return any_release([place(one) for one in way], project, tagged or name)


def is_gated(environment: "Environment", upstream: "Environment") -> bool:
    """Whether a release needs a verdict of `upstream` to come here: the first environment and a blind one give none."""
    return environment.upstream is not None and upstream.airflow is not None


def airflow(environment: "Environment") -> "AirflowApi | None":
    """The environment's Airflow, or None when its file names none."""
    from windlass.adapters.airflow import AirflowApi
    from windlass.spec.environment import resolve

    if environment.airflow is None:
        return None
    settings = resolve(environment.airflow, os.environ, f"environments/{environment.name}.yml: airflow")
    return AirflowApi(settings, environment.name)


def concluded(
    api: "AirflowApi",
    environment: "Environment",
    where: "Place",
    state: "State",
    project: str,
    *,
    may_go_back: bool = False,
) -> "Conclusion":
    """The recorded verdict about the project as it is in `state`, and the rollback that it led to."""
    from windlass.delivery.verification.judge import Bench, conclude

    console.step(f"waiting for the Airflow of {environment.name} to show {state.name}")
    bench = Bench(api, context.store(environment, "data"), progress=console.step)
    return conclude(bench, trial(environment), where, state, project, author(), may_go_back=may_go_back)


def trial(environment: "Environment") -> "Trial":
    """How the environment's file wants releases verified."""
    from windlass.delivery.verification.judge import Trial
    from windlass.delivery.verification.smoke import Smoke

    assert environment.airflow is not None
    wanted, smoke = environment.verify, None
    if wanted.run:
        smoke = Smoke(wanted.run, wanted.run_timeout.total_seconds(), wanted.conf, wanted.delivers)
    return Trial(environment.airflow.bundle, wanted.timeout.total_seconds(), smoke, wanted.on_failure)


def verdict_as_json(conclusion: "Conclusion | None") -> dict[str, Any]:
    """The verdict, and the state to which a failed one led back, for a machine; null where nobody looked."""
    if conclusion is None:
        return {"verdict": None, "rolled_back_to": None}
    back = conclusion.back.state.name if conclusion.back else None
    return {"verdict": conclusion.judgement.verdict.model_dump(mode="json"), "rolled_back_to": back}


def laid_out_as_json(laid_out: "LaidOut | None") -> dict[str, Any]:
    """What became of the files of a plain environment, for a machine; nothing in any other."""
    return {"laid_out": laid_out.as_json()} if laid_out else {}


def say_laid_out(laid_out: "LaidOut | None") -> None:
    """What became of the files of a plain environment, for a person."""
    if laid_out:
        console.say(f"  {laid_out.describe()}")


def say_verdict(environment: str, conclusion: "Conclusion") -> None:
    """What was seen and what followed from it, for a person."""
    judgement = conclusion.judgement
    seen, run = judgement.seen, judgement.verdict.run
    if seen:
        dags = f"{len(seen.versions)} DAG{'' if len(seen.versions) == 1 else 's'} as promoted"
        said = "verified" if judgement.stop is None else "seen"
        console.say(f"{said} in {seen.seconds:.0f} s: Airflow of {environment} shows {dags}")
        for dag_id, version in seen.versions.items():
            same = "" if version == seen.state else f" (unchanged up to {seen.state})"
            console.say(f"  {dag_id} at {version}{same}")
        for dag_id in seen.gone:
            console.say(f"  {dag_id} is gone")
    if run:
        delivered = f" and delivered {run.delivered}" if run.delivered else ""
        console.say(f"  run {run.run_id} of {run.dag_id} succeeded{delivered}")
    if judgement.stop:
        console.say(f"verdict: {judgement.verdict.result}")
    if conclusion.back:
        for line in conclusion.back.plan.describe():
            console.say(line)
        say_laid_out(conclusion.back.laid_out)
    if conclusion.after and conclusion.after.stop:
        console.warn(f"{environment} is rolled back, but: {conclusion.after.stop}")
    elif conclusion.after and conclusion.after.seen:
        console.say(f"Airflow of {environment} shows that after {conclusion.after.seen.seconds:.0f} s")
    if conclusion.stays_because:
        console.warn(f"{environment} is not rolled back: {conclusion.stays_because}")


def stop_unless_passed(environment: str, conclusion: "Conclusion") -> None:
    """Ends the command as the verdict says: 2 after `fail`; 75, or 3 where a service refused, after `inconclusive`."""
    from windlass.delivery.verification.verify import VerificationFailed

    stop = conclusion.judgement.stop
    if stop is None:
        return
    if conclusion.back:
        plan = conclusion.back.plan
        assert plan.before is not None
        raise VerificationFailed(
            f"{stop}; {environment} is back at {plan.after.tag or plan.after.commit[:8]} ({plan.after.release[:12]}), "
            f"and release {plan.before.release[:12]} is on hold there"
        )
    raise stop
