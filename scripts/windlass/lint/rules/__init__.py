"""The rules, one per module: `check(project)` yields what it finds, and the module's docstring says what that is."""

from windlass.lint.rules import (
    after_setup,
    code_owners,
    distinct_filenames,
    distinct_prefix,
    gate_override,
    known_argument,
    known_asset,
    known_case,
    known_connection,
    known_environment,
    known_file,
    known_flavor,
    known_gate,
    known_image,
    known_name,
    known_operator,
    known_owner,
    known_placeholder,
    known_pool,
    known_port,
    known_receiver,
    known_task,
    known_variable,
    newest_template,
    no_cycle,
    no_future_start,
    no_overlap,
    no_secret,
    port_type,
    possible_gate,
    unused_output,
    valid_schedule,
    valid_timezone,
)

RULES = (
    after_setup,
    code_owners,
    distinct_filenames,
    distinct_prefix,
    gate_override,
    known_argument,
    known_asset,
    known_case,
    known_connection,
    known_environment,
    known_file,
    known_flavor,
    known_gate,
    known_image,
    known_name,
    known_operator,
    known_owner,
    known_placeholder,
    known_pool,
    known_port,
    known_receiver,
    known_task,
    known_variable,
    newest_template,
    no_cycle,
    no_future_start,
    no_overlap,
    no_secret,
    port_type,
    possible_gate,
    unused_output,
    valid_schedule,
    valid_timezone,
)
IGNORABLE = frozenset(
    rule.NAME
    for rule in (
        gate_override,
        known_asset,
        known_connection,
        known_flavor,
        known_image,
        known_owner,
        known_placeholder,
        known_pool,
        known_receiver,
        known_variable,
        newest_template,
        no_future_start,
        no_overlap,
        no_secret,
        port_type,
        unused_output,
    )
)
"""Rules that a comment can take back for a line; what breaks another one could not be rendered or would not run."""
NOT_OF_TEMPLATES = (known_asset, known_name, known_owner, newest_template, unused_output)
"""Rules that say nothing about a template alone: its pipelines may have what is missing, or make use of it."""
NEEDS_ENVIRONMENTS = frozenset(
    rule.NAME
    for rule in (known_asset, known_connection, known_flavor, known_image, known_pool, known_receiver, known_variable)
)
"""Rules that find nothing, or not all, where no environments are known."""
