"""The key that commands sign with: the file that `--sign-key` or WINDLASS_SIGNING_KEY names."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from windlass.delivery.release.signature import SigningKey
    from windlass.spec.environment import Environment

Command = TypeVar("Command", bound=Callable[..., Any])
VARIABLE = "WINDLASS_SIGNING_KEY"


def key_option(command: Command) -> Command:
    """Adds `--sign-key FILE`; hand its value to `key`."""
    return click.option(
        "--sign-key", "key_file", metavar="FILE", help=f"The private key to sign with.  [default: {VARIABLE}]"
    )(command)


def key(given: str | None, variables: Mapping[str, str]) -> "SigningKey | None":
    """The key that the option or the variable names; None without either."""
    from windlass.delivery.release.signature import read_key

    if given is not None:
        return read_key(given, "--sign-key")
    named = variables.get(VARIABLE)
    return read_key(named, VARIABLE) if named else None


def warn_of_refusals(environments: Mapping[str, "Environment"], signing: "SigningKey | None") -> None:
    """Says now which environments will not take what is signed like this."""
    from windlass.cli import console

    for name, environment in environments.items():
        if environment.signers and (signing is None or signing.public not in environment.signers.values()):
            known = " or ".join(sorted(environment.signers))
            what = "without a signature" if signing is None else f"signed by {signing.public}"
            console.warn(f"{name} takes only what {known} signed, and this release is {what}; set {VARIABLE}")
