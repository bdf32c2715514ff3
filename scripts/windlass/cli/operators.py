"""`windlass operators`: lists the operators that pipelines may name, or explains one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from windlass.catalog.operator import Operator


@click.command("operators", short_help="List the operators, or explain one.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with all arguments.")
def command(name: str | None, as_json: bool) -> None:
    """Lists windlass's operators and this project's own, or explains NAME: its arguments and its ports.

    The operators are read and not imported, so no Airflow is needed. A port is shown with the ending of its file, `*`
    stands for any number of ports and `?` for exactly one of any name.

    \b
    Examples:
      windlass operators
      windlass operators pg_to_csv
      windlass operators --json
    """
    from rich.text import Text

    from windlass.catalog.listing import read_listed
    from windlass.cli import console

    operators, problems = read_listed(Path.cwd(), name)
    if as_json:
        console.print_json([_as_data(operator) for operator in operators])
    elif name:
        _explain(operators[0])
    else:
        table = console.table("operator", "inputs", "outputs", "what it does")
        for operator in operators:
            table.add_row(operator.name, _ports(operator.inputs), _ports(operator.outputs), Text(_summary(operator)))
        console.out.print(table)
    for problem in problems:
        console.warn(str(problem))
    if problems:
        click.get_current_context().exit(1)


def _as_data(operator: "Operator") -> dict[str, Any]:
    from windlass.catalog.documented import documented

    said = documented(operator.description)
    return {
        "name": operator.name,
        "class": operator.class_name,
        "own": operator.own,
        "summary": said.summary,
        "description": said.text,
        "arguments": {
            name: {
                "type": argument.annotation,
                "default": argument.default,
                "required": argument.required,
                "description": said.arguments.get(name, ""),
            }
            for name, argument in operator.arguments.items()
        },
        "inputs": {port: {"ending": ending} for port, ending in operator.inputs.items()},
        "outputs": {port: {"ending": ending} for port, ending in operator.outputs.items()},
        "example": said.example,
        "ports": {name: said.arguments[name] for name in ("inputs", "outputs") if name in said.arguments},
    }


def _explain(operator: "Operator") -> None:
    from rich.text import Text

    from windlass.catalog.documented import documented
    from windlass.cli import console

    said = documented(operator.description)
    console.say(f"{operator.name}\n\n{said.text}\n")
    # Text: in plain strings rich would take list[str] for markup
    table = console.table("argument", "type", "default", "what it is")
    for name, argument in operator.arguments.items():
        default = "required" if argument.required else str(argument.default)
        table.add_row(name, Text(argument.annotation), Text(default), Text(said.arguments.get(name, "")))
    for kind, ports in (("inputs", operator.inputs), ("outputs", operator.outputs)):
        if ports:
            need = "required" if kind in operator.needs else ""
            table.add_row(kind, _ports(ports), need, Text(said.arguments.get(kind, "")))
    console.out.print(table)
    if said.example:
        console.say(f"\n{said.example}")


def _summary(operator: "Operator") -> str:
    from windlass.catalog.documented import documented

    return documented(operator.description).summary


def _ports(ports: Any) -> str:
    return ", ".join(f"{port} {ending}".strip() for port, ending in ports.items())
