"""`windlass merge`: puts the parts of a CSV, JSON lines or Parquet file together."""

from pathlib import Path

import click

from windlass.cli.dialect_options import dialect_options


@click.command("merge", short_help="Put the parts of a file together.")
@click.argument(
    "parts", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@dialect_options
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def command(
    parts: tuple[Path, ...],
    out: Path,
    delimiter: str | None,
    quote: str | None,
    escape: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Puts FILEs together in the order in which they are given, below one header; other headers are refused.

    The endings are those of `windlass split`; one of .gz or .zst packs the file. It appears when it is whole.

    \b
    Examples:
      windlass merge parts/scores-*.csv --out scores.csv
      windlass merge a.jsonl b.jsonl.gz --out all.jsonl.zst
    """
    from windlass.cli import console
    from windlass.cli.reading import progress, stops
    from windlass.runtime.csv_dialect import dialect_of
    from windlass.runtime.local_parts import LocalFile, merge_here

    with stops():
        dialect = dialect_of(delimiter, quote, escape)
        with progress(out.name, sum(path.stat().st_size for path in parts)) as seen:
            merge_here([LocalFile(path, seen) for path in parts], out, dialect, force=force)
    if as_json:
        console.print_json({"parts": len(parts), "path": str(out), "size": out.stat().st_size})
    else:
        console.say(f"{out}: {len(parts)} part{'s' if len(parts) > 1 else ''}, {out.stat().st_size:,} bytes")
