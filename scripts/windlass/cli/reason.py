"""The options of a reason, which is kept for ever and read by everybody: it says something, and is short."""

import click

_LONGEST = 500


def check_reason(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The reason without the blanks around it; click's own error where it says nothing, or too much."""
    if value is None:
        return None
    reason = value.strip()
    if not reason:
        raise click.BadParameter("it says nothing; name the reason in a few words", context, parameter)
    if len(reason) > _LONGEST:
        raise click.BadParameter(
            f"it has {len(reason)} characters, {_LONGEST} are enough; say more where it leads to", context, parameter
        )
    return reason


reason_option = click.option("--reason", metavar="TEXT", callback=check_reason, help="Why, for the ledger.")
stop_reason_option = click.option(
    "--reason",
    metavar="TEXT",
    required=True,
    callback=check_reason,
    help="Why, for the ledger and for whoever is stopped by it.",
)
policy_moved_option = click.option(
    "--policy-moved",
    "moved",
    metavar="TEXT",
    callback=check_reason,
    help="Why another repository says now what the gate of ENV asks.",
)
