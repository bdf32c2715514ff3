"""What the operators that need nothing but files do, with local files, by the same functions of the runtime."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from windlass.jobs.run_context import RunContext
from windlass.jobs.values import Value
from windlass.runtime.csv_dialect import Dialect, dialect_of
from windlass.runtime.csv_text import cut_of
from windlass.runtime.delivered import delivered_path
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.local_parts import LocalFile, merge_here, split_here

Arguments = Mapping[str, Any]
Files = Mapping[str, Value]


def run_operator(
    name: str, arguments: Arguments, inputs: Files, outputs: Mapping[str, str], folder: Path, run: RunContext
) -> dict[str, Value]:
    """The outputs of operator `name` by port, in `folder`; what is delivered goes to the run's folder `delivered`."""
    folder.mkdir(parents=True, exist_ok=True)
    if name in ("split_csv", "split_file"):
        cut = cut_of(name, arguments.get("rows"), arguments.get("size"), arguments.get("parts"))
        source = LocalFile(_file("data", inputs["data"]))
        return {"parts": split_here(source, cut, folder, outputs["parts"], _dialect(arguments))}
    if name in ("merge_csv", "merge_files"):
        parts = inputs["parts"] if isinstance(inputs["parts"], list) else [inputs["parts"]]
        target = folder / outputs["data"]
        merge_here([LocalFile(path) for path in parts], target, _dialect(arguments))
        return {"data": target}
    ((port, value),) = inputs.items()
    if name == "deliver":
        _deliver(_file(port, value), str(arguments["to"]), run)
        return {}
    return _ONE_FILE[name](_file(port, value), arguments, outputs, folder)


def _dialect(arguments: Arguments) -> Dialect:
    return dialect_of(arguments.get("delimiter"), arguments.get("quote"), arguments.get("escape"))


def _file(port: str, value: Value) -> Path:
    if isinstance(value, list) or value.is_dir():
        raise RuntimeStop(f"input {port!r} is several files; this operator takes one")
    return value


def _deliver(path: Path, to: str, run: RunContext) -> None:
    at = SimpleNamespace(logical_date=run.logical_date, run_after=None, start_date=None, run_id=run.run_id)
    target = run.delivered / delivered_path(to, at)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _convert(path: Path, arguments: Arguments, outputs: Mapping[str, str], folder: Path) -> dict[str, Value]:
    from windlass.runtime.tables import convert

    ((port, name),) = outputs.items()
    convert(path, folder / name, arguments.get("types"))
    return {port: folder / name}


def _check_data(path: Path, arguments: Arguments, outputs: Mapping[str, str], folder: Path) -> dict[str, Value]:
    from windlass.runtime.checks import check_rows, data_checks
    from windlass.runtime.rows import read_rows

    names = ("rows", "columns", "not_null", "ranges", "unique")
    checks = data_checks(*(arguments.get(name) for name in names))
    columns, rows = read_rows(path)
    check_rows(checks, columns, rows, folder)
    return {}


_ONE_FILE: Mapping[str, Callable[[Path, Arguments, Mapping[str, str], Path], dict[str, Value]]] = {
    "convert": _convert,
    "check_data": _check_data,
}
