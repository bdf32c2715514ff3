"""`windlass sign-key`: makes a key that signs releases, and shows its public part."""

from pathlib import Path

import click

_NO_ECHO = {"ignore_unknown_options": True}
"""click would repeat a key that somebody gives in the place of its file, which begins with dashes."""


@click.group()
def command() -> None:
    """Make a key that signs releases, or show whom to trust.

    The private key is for one CI/CD variable of type File, WINDLASS_SIGNING_KEY; the public part goes into the
    `signers` of an environment, and into the configuration of its Airflow (`windlass env bundles`).

    \b
    Examples:
      windlass sign-key new release.pem
      windlass sign-key show release.pem
    """


@command.command(context_settings=_NO_ECHO)
@click.argument("file", metavar="FILE")
@click.option("--name", metavar="NAME", default="release", show_default=True, help="What environments call the key.")
def new(file: str, name: str) -> None:
    """Write a new private key to FILE and print its public part.

    Only you may read FILE; one that is there already is not overwritten.

    \b
    Examples:
      windlass sign-key new release.pem
      windlass sign-key new laptop.pem --name ann
    """
    from windlass.delivery.release.signature import write_new_key

    _name(name)
    _print(write_new_key(Path(file)).public, name)


@command.command(context_settings=_NO_ECHO)
@click.argument("file", metavar="FILE")
@click.option("--name", metavar="NAME", default="release", show_default=True, help="What environments call the key.")
def show(file: str, name: str) -> None:
    """Print the public part of the private key in FILE, as environments/ENV.yml wants it.

    \b
    Examples:
      windlass sign-key show release.pem
    """
    from windlass.delivery.release.signature import read_key

    _name(name)
    _print(read_key(file, "FILE").public, name)


def _name(name: str) -> None:
    from windlass.spec.errors import WindlassError
    from windlass.spec.signer import check_name

    try:
        check_name(name)
    except ValueError as error:
        raise WindlassError(f"--name: {error}") from error


def _print(public: str, name: str) -> None:
    from windlass.cli import console

    console.say(f'signers: {{{name}: "{public}"}}')
