"""`windlass env`: what an environment declares for its Airflow, compared with it and brought into it."""

import os
from typing import TYPE_CHECKING

import click

from windlass.cli import context

if TYPE_CHECKING:
    from windlass.delivery.environment.apply import Environs
    from windlass.spec.airflow_object import Key, Wanted
    from windlass.spec.environment import Environment


@click.group(short_help="Bring variables, connections and pools into an Airflow.")
def command() -> None:
    """Bring variables, connections and pools of an environment into its Airflow.

    They stand in environments/ENV.yml. ${NAME} in them is filled in from the CI/CD variables of this process, only
    here, and is never stored or printed. windlass changes and deletes only what it made itself, or was told to adopt.

    \b
    Examples:
      windlass env diff stage
      windlass env apply stage
      windlass env bundles prod --projects digits,letters
    """


@command.command()
@click.argument("name", metavar="ENV")
@click.option(
    "--without-secrets",
    is_flag=True,
    envvar="WINDLASS_WITHOUT_SECRETS",
    help="Need no variables of secrets, and do not compare them.",
)
@context.environments_option
@context.json_option
def diff(name: str, without_secrets: bool, environments_dir: str | None, as_json: bool) -> None:
    """Show what an apply would change, and change nothing.

    Exits with 0 when there is nothing to do, 1 when something would change, 2 when an object of the same name is in
    Airflow and not windlass's. A new secret is found by a salted digest of the one that was sent last.

    \b
    Examples:
      windlass env diff prod
      windlass env diff prod --without-secrets --json
    """
    from windlass.cli import console
    from windlass.delivery.environment.apply import plan_now

    environs, wanted = _load(name, environments_dir, secrets=not without_secrets)
    plan = plan_now(environs, wanted)
    if as_json:
        console.print_json(plan.as_json())
    else:
        for line in plan.describe():
            console.say(line)
    if without_secrets:
        console.warn("secrets were not compared")
    click.get_current_context().exit(2 if plan.conflicts else 0 if plan.is_done else 1)


@command.command()
@click.argument("name", metavar="ENV")
@click.option("--adopt", "adopted", metavar="NAME", multiple=True, help="Take over an object that is there: pool/etl.")
@click.option("--resend", is_flag=True, help="Send all secrets again: somebody may have changed one by hand.")
@context.environments_option
@context.json_option
def apply(name: str, adopted: tuple[str, ...], resend: bool, environments_dir: str | None, as_json: bool) -> None:
    """Make the Airflow of ENV hold what its file declares.

    What was interrupted is finished by the same command. What windlass made and is no longer declared is deleted; what
    it took over stays, and is forgotten. An object of the same name that is not windlass's stays as it is, the others
    are brought in, and the command exits with 2.

    \b
    Examples:
      windlass env apply dev
      windlass env apply prod --adopt connection/dwh
    """
    from windlass.cli import console
    from windlass.delivery.environment.apply import apply as bring
    from windlass.spec.errors import DeliveryError

    environs, wanted = _load(name, environments_dir, secrets=True)
    plan = bring(environs, wanted, adopt=_adopted(adopted, wanted), resend=resend, progress=console.step)
    if as_json:
        console.print_json(plan.as_json())
    else:
        for line in plan.describe(is_applied=True):
            console.say(line)
    if plan.conflicts:
        raise DeliveryError("; ".join(plan.refusals))


@command.command()
@click.argument("name", metavar="ENV")
@click.option("--projects", metavar="A,B", help="Only the DAGs of these projects, for a large installation.")
@click.option("--aws-conn-id", metavar="ID", help="The Airflow connection with the credentials for S3.")
@context.environments_option
@context.json_option
def bundles(
    name: str, projects: str | None, aws_conn_id: str | None, environments_dir: str | None, as_json: bool
) -> None:
    """Print the configuration that makes the Airflow of ENV serve what is live there.

    It is Airflow's dag_bundle_config_list, for airflow.cfg and as a variable; it takes the place of Airflow's own list,
    so add your other bundles to it.

    \b
    Examples:
      windlass env bundles prod
      windlass env bundles prod --projects digits,letters --aws-conn-id s3
      windlass env bundles prod --json
    """
    from windlass.cli import console
    from windlass.delivery.environment.bundles import bundle_entry, describe_bundles
    from windlass.spec.environment import find_environment

    environment = find_environment(context.environments(environments_dir), name)
    chosen = [part.strip() for part in projects.split(",") if part.strip()] if projects is not None else None
    entry = bundle_entry(environment, context.buckets(environment), chosen, aws_conn_id)
    if as_json:
        console.print_json([entry])
    else:
        for line in describe_bundles([entry]):
            console.say(line)


def _load(name: str, environments_dir: str | None, *, secrets: bool) -> "tuple[Environs, list[Wanted]]":
    """The environment's record and Airflow, and what it declares; all variables that are not set are listed at once."""
    from windlass.adapters.airflow_settings import AirflowSettingsApi
    from windlass.delivery.environment.apply import Environs
    from windlass.delivery.environment.wanted import wanted_objects
    from windlass.spec.environment import find_environment, resolve
    from windlass.spec.errors import WindlassError
    from windlass.spec.placeholder import names_in, require

    environment = find_environment(context.environments(environments_dir), name)
    where = f"environments/{name}.yml"
    if environment.airflow is None:
        raise WindlassError(f"{where} names no airflow; write its url, username and password")
    require(names_in(_needed(environment, secrets)), os.environ, where)
    wanted = wanted_objects(environment, os.environ, secrets=secrets)
    airflow = AirflowSettingsApi(resolve(environment.airflow, os.environ, f"{where}: airflow"), name)
    return Environs(name, environment.prefix, context.store(environment, "code"), airflow), wanted


def _needed(environment: "Environment", secrets: bool) -> list[object]:
    settings = [environment.variables, environment.connections, environment.pools]
    return [environment.airflow, environment.s3, *(settings if secrets else ())]


def _adopted(names: tuple[str, ...], wanted: "list[Wanted]") -> "list[Key]":
    """The declared objects that `names` mean: `pool/etl`, or `etl` where only one kind has that name."""
    from windlass.spec.errors import DeliveryError
    from windlass.spec.problem import near

    found = []
    for name in names:
        meant = [one.key for one in wanted if name in (one.key.path, one.key.name)]
        if not meant:
            raise DeliveryError(f"--adopt {name}: nothing of that name is declared{near(name, _paths(wanted))}")
        if len(meant) > 1:
            raise DeliveryError(f"--adopt {name} may be {' or '.join(key.path for key in meant)}; say which")
        found += meant
    return found


def _paths(wanted: "list[Wanted]") -> list[str]:
    return [one.key.path for one in wanted]
