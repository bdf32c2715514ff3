"""The rules, one per module: `check(project)` yields what it finds, and the module's docstring says what that is."""

from windlass.lint.rules import (
    distinct_filenames,
    known_argument,
    known_environment,
    known_file,
    known_flavor,
    known_gate,
    known_image,
    known_name,
    known_operator,
    known_placeholder,
    known_port,
    known_task,
    no_cycle,
    port_type,
    valid_schedule,
    valid_timezone,
)

RULES = (
    distinct_filenames,
    known_argument,
    known_environment,
    known_file,
    known_flavor,
    known_gate,
    known_image,
    known_name,
    known_operator,
    known_placeholder,
    known_port,
    known_task,
    no_cycle,
    port_type,
    valid_schedule,
    valid_timezone,
)
