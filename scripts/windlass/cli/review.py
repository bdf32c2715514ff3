"""`windlass review`: shows a merge request at work in the first environment, beside the real project, and clears it."""

from pathlib import Path

import click

from windlass.cli import context
from windlass.cli.signing import key_option

iid_option = click.option(
    "--iid",
    type=click.IntRange(min=1),
    envvar="CI_MERGE_REQUEST_IID",
    help="The merge request's number in its project.",
)


@click.group(short_help="Show a merge request at work beside what is live.")
def command() -> None:
    """Review environments: the pipelines of a merge request, live in the first environment beside the real ones.

    A review has a project, DAGs, assets and a folder for what it delivers of its own, named after the merge request.
    Its DAGs have no schedule and begin paused: they run when somebody starts them. No review is promoted any further.

    \b
    Examples:
      windlass review up --iid 7
      windlass review list
      windlass review down --iid 7
    """


@command.command()
@iid_option
@click.option("--dotenv", metavar="FILE", type=click.Path(dir_okay=False), help="Write WINDLASS_REVIEW_URL=... there.")
@click.option("--no-verify", is_flag=True, help="Do not wait for Airflow to show the review.")
@key_option
@context.environments_option
@context.project_option
@context.json_option
def up(
    iid: int | None,
    dotenv: str | None,
    no_verify: bool,
    key_file: str | None,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Make this commit the review of its merge request, and wait until Airflow shows it.

    The models must be trained. Another commit of the same merge request takes the place of the one before. The settings
    of the environment stay as they are, whatever the merge request says of them. Exits with 1 when lint finds problems.

    \b
    Examples:
      windlass review up --iid 7
      windlass review up --dotenv review.env
    """
    from windlass.cli import console, delivering, reviewing

    environment = reviewing.first_without_gate(context.environments(environments_dir))
    review = reviewing.review_of(context.project(project_given), iid)
    api, place = None if no_verify else delivering.airflow(environment), delivering.place(environment)
    archive, record = reviewing.build(review, environment, environments_dir, key_file)
    outcome = reviewing.make_live(review, environment, archive, record)
    url = reviewing.link(environment, review)
    if dotenv and url:
        Path(dotenv).write_text(f"WINDLASS_REVIEW_URL={url}\n")
    conclusion = delivering.concluded(api, environment, place, outcome.state, review.name) if api else None
    if as_json:
        console.print_json(
            {
                **review.as_json(),
                **outcome.plan.as_json(),
                "live": outcome.state.projects[review.name].model_dump(mode="json"),
                "changed": outcome.changed,
                "state": outcome.state.name,
                "url": url,
                "verdict": delivering.verdict_as_json(conclusion)["verdict"],
            }
        )
    else:
        for line in outcome.plan.describe():
            console.say(line)
        delivering.say_laid_out(outcome.laid_out)
        if conclusion:
            delivering.say_verdict(environment.name, conclusion)
        console.say(f"review {review.name} is in {environment.name}{f': {url}' if url else ''}")
    if conclusion:
        delivering.stop_unless_passed(environment.name, conclusion)


@command.command()
@iid_option
@click.option("--closed", is_flag=True, help="Every review of the project whose merge request is closed or merged.")
@context.environments_option
@context.project_option
@context.json_option
def down(iid: int | None, closed: bool, environments_dir: str | None, project_given: str | None, as_json: bool) -> None:
    """Take a review out of its environment, and what Airflow keeps of its DAGs.

    Needs no files of the merge request, only those of the environments. What is out already stays so. Airflow keeps a
    DAG while tasks of it are running, or where its account may not delete one: run it again later, or let
    `windlass review down --closed` do so. --closed asks GitLab, with a token that may read merge requests.

    \b
    Examples:
      windlass review down --iid 7
      windlass review down --closed --json
    """
    from windlass.cli import console, reviewing

    environment = context.first(context.environments(environments_dir))
    project = context.project(project_given)
    reviews = reviewing.closed(environment, project) if closed else [reviewing.review_of(project, iid)]
    ends = [reviewing.take_down(review, environment) for review in reviews]
    if as_json:
        console.print_json([end.as_json() for end in ends])
        return
    for end in ends:
        for line in end.describe():
            console.say(line)
    if not ends:
        console.say(f"no review of {project} in {environment.name} is closed")


@command.command("list")
@context.environments_option
@context.json_option
def list_command(environments_dir: str | None, as_json: bool) -> None:
    """Show the reviews of all projects that are live.

    \b
    Examples:
      windlass review list
      windlass review list --json
    """
    from windlass.cli import console, delivering, reviewing
    from windlass.delivery.history.states import load_current
    from windlass.delivery.review.reviews import reviews_of

    environment = context.first(context.environments(environments_dir))
    place = delivering.place(environment)
    reviews = reviews_of(None, load_current(place.code, place.prefix).state)
    if as_json:
        console.print_json([{**review.as_json(), "url": reviewing.link(environment, review)} for review in reviews])
        return
    for review in reviews:
        assert review.live is not None
        url = reviewing.link(environment, review) or ""
        console.say(f"{review.project} !{review.iid}  {review.live.commit[:8]}  {url}".rstrip())
    if not reviews:
        console.say(f"{environment.name} has no review")
