"""`windlass split`: cuts a CSV, JSON lines or Parquet file into parts of whole records."""

from pathlib import Path

import click

from windlass.cli.dialect_options import dialect_options


@click.command("split", short_help="Cut a large file into parts of whole records.")
@click.argument("source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rows", type=click.IntRange(min=1), help="So many records in each part.")
@click.option("--size", metavar="SIZE", help="At most so much in each part, like 64Mi, as it is unpacked.")
@click.option("--parts", type=click.IntRange(min=1), help="So many parts of about the same size.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=".", help="The folder of the parts; here."
)
@click.option("--name", help="The file name that the parts are called after; that of FILE. .gz or .zst packs them.")
@dialect_options
@click.option("--force", is_flag=True, help="Replace parts that are in the folder already.")
@click.option("--json", "as_json", is_flag=True, help="Print the parts as JSON.")
def command(
    source: Path,
    rows: int | None,
    size: str | None,
    parts: int | None,
    out: Path,
    name: str | None,
    delimiter: str | None,
    quote: str | None,
    escape: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Cuts FILE into parts, each with the header; `windlass merge` makes the same bytes of them again.

    FILE ends with .csv or .jsonl, .gz or .zst may follow, or with .parquet. Quoted fields may hold line ends. The parts
    of orders.csv are orders-00000.csv and so on; they appear when all of them are whole.

    \b
    Examples:
      windlass split orders.csv --rows 1000000 --out parts
      windlass split orders.csv.gz --parts 8 --name orders.csv
      windlass split export.csv --size 256Mi --delimiter tab
    """
    from windlass.cli import console
    from windlass.cli.reading import progress, stops
    from windlass.runtime.csv_dialect import dialect_of
    from windlass.runtime.csv_text import cut_of
    from windlass.runtime.local_parts import LocalFile, split_here

    with stops():
        cut, dialect = cut_of("split", rows, size, parts), dialect_of(delimiter, quote, escape)
        with progress(source.name, source.stat().st_size) as seen:
            made = split_here(LocalFile(source, seen), cut, out, name or source.name, dialect, force=force)
    if as_json:
        console.print_json({"parts": [{"path": str(path), "size": path.stat().st_size} for path in made]})
    else:
        console.say(
            f"{len(made)} part{'s' if len(made) > 1 else ''}: {made[0]}" + (f" to {made[-1]}" if len(made) > 1 else "")
        )
