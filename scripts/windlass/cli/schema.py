"""`windlass schema`: what editors need to complete and check the files of the language."""

from pathlib import Path
from typing import Any

import click

from windlass.cli.context import environments_option

KINDS = ("pipeline", "template", "defaults", "model", "environment", "case")


@click.command("schema", short_help="Write the JSON Schemas that editors read.")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--out", type=click.Path(file_okay=False), help="Write KIND.json, or all of them, to this folder.")
@environments_option
def command(kind: str | None, out: str | None, environments_dir: str | None) -> None:
    """Prints the JSON Schema of KIND, or writes all of them to a folder.

    They know the operators of this repository's operators/ beside windlass's own, its templates, and the flavors,
    images, pools and connections of the environments. Nothing is imported or executed. docs/editors.md tells how an
    editor finds them.

    \b
    Examples:
      windlass schema --out .windlass/schema
      windlass schema pipeline
      windlass schema environment --out build
    """
    from windlass.cli import console
    from windlass.spec.errors import WindlassError

    if kind is None and out is None:
        raise WindlassError(f"say which schema to print ({', '.join(KINDS)}), or give --out FOLDER for all of them")
    schemas = _schemas(Path.cwd(), environments_dir)
    if out is None:
        console.print_json(schemas[str(kind)])
        return
    for name in (kind,) if kind else KINDS:
        _write(Path(out, f"{name}.json"), schemas[name])
        console.say(str(Path(out, f"{name}.json")))


def _schemas(folder: Path, environments_dir: str | None) -> dict[str, dict[str, Any]]:
    from windlass.catalog import json_schema as schemas
    from windlass.catalog.read import STANDARD, read_catalog
    from windlass.cli import console
    from windlass.spec.environment import environments_folder, load_environments
    from windlass.spec.shelf import Shelf

    where = environments_folder(folder, environments_dir)
    names = schemas.names_of(load_environments(where) if where else {})
    catalog = read_catalog(folder, {path.stem for path in STANDARD.glob("*.py")})
    for problem in catalog.problems:
        console.warn(str(problem))
    shelf = Shelf(folder, where.parent if where else None)
    return {
        "pipeline": schemas.pipeline_schema(catalog, names, shelf),
        "template": schemas.template_schema(catalog, names, shelf),
        "defaults": schemas.defaults_schema(catalog, names),
        "model": schemas.model_schema(names),
        "environment": schemas.environment_schema(),
        "case": schemas.case_schema(),
    }


def _write(path: Path, schema: dict[str, Any]) -> None:
    """Writes the schema; the file that an editor has open is replaced in one step."""
    import json

    from windlass.spec.errors import WindlassError

    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise WindlassError(f"--out: {str(path)!r} cannot be written: {error.strerror}") from error
