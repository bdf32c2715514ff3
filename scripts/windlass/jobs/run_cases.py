"""Runs several contract tests at once."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from windlass.jobs.case_model import CaseModels, CopyCode
from windlass.jobs.contract import Bench, Contract, Result
from windlass.jobs.memory import LimitsOf, limits_in
from windlass.jobs.run_case import run_case
from windlass.spec.model import Model


def run_cases(
    contracts: Sequence[Contract],
    project: Path,
    models: Mapping[str, Model],
    copy_code: CopyCode,
    see: Callable[[Result], None],
    *,
    at_once: int,
    accept: bool = False,
    limits_of: LimitsOf | None = None,
) -> list[Result]:
    """The results in the order of the cases; `see` is told of each when it is there.

    When this is interrupted, the scripts that run are ended and no others begin.
    """
    results: dict[str, Result] = {}
    with (
        tempfile.TemporaryDirectory(prefix="windlass-test-", ignore_cleanup_errors=True) as folder,
        _stop_pipe() as (stop, end_all),
    ):
        bench = Bench(
            project,
            models,
            CaseModels(project, Path(folder), copy_code, stop),
            stop,
            accept,
            limits_of or limits_in(None),
        )
        with ThreadPoolExecutor(at_once) as pool:
            try:
                for future in as_completed([pool.submit(run_case, contract, bench) for contract in contracts]):
                    result = future.result()
                    results[result.contract.file.path] = result
                    see(result)
            except BaseException:
                end_all()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return [results[contract.file.path] for contract in contracts]


@contextmanager
def _stop_pipe() -> Iterator[tuple[int, Callable[[], None]]]:
    """A file descriptor that can be read once the function beside it was called."""
    stop, writer = os.pipe()

    def end_all() -> None:
        os.write(writer, b"x")

    try:
        yield stop, end_all
    finally:
        os.close(stop)
        os.close(writer)
