"""What `windlass test` does: reads models and cases, runs those that are meant, and makes new cases."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from windlass.cli import console
from windlass.jobs.choose_cases import choose, without_case
from windlass.jobs.contract import Contract, Result, contract_of
from windlass.jobs.memory import UNKNOWN, limits_in
from windlass.jobs.new_case import new_case
from windlass.jobs.run_cases import run_cases
from windlass.lint.check import Report
from windlass.lint.report import check_with_environments
from windlass.spec.environment import Environment
from windlass.spec.errors import WindlassError
from windlass.spec.model import Model
from windlass.training.models import load_models
from windlass.training.project_files import copy_files, find_files
from windlass.training.testing import run_tests


@dataclass(frozen=True)
class Chosen:
    """What is to run: `models` are those whose own tests run, `all_models` those that cases may need."""

    models: dict[str, Model]
    contracts: list[Contract]
    without: list[str]
    all_models: dict[str, Model]


@dataclass(frozen=True)
class ModelResult:
    """How the tests of a model ended: `reason` is None when well."""

    model: str
    seconds: float
    reason: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """What came of it all; `without` are the jobs that have no case."""

    models: list[ModelResult]
    cases: list[Result]
    without: list[str]

    @property
    def is_well(self) -> bool:
        """Whether everything passed."""
        return not any(one.reason for one in self.models) and not any(case.problems for case in self.cases)


def load(folder: Path, environments_dir: str | None, names: Sequence[str]) -> Chosen:
    """The models and the cases that `names` mean; WindlassError for a name that means nothing."""
    _, found = check_with_environments(folder, environments_dir)
    contracts = _contracts(found)
    models = {path.stem for path in (folder / "models").glob("*.yml")}
    cases = choose(names, contracts, models)
    named = [name for name in names if name in models]
    own = load_models(folder, named) if named or not names else {}
    return Chosen(own, cases, [] if names else without_case(contracts, found.pipelines.values()), dict(found.models))


def _contracts(found: Report) -> list[Contract]:
    problems: dict[str, list[str]] = {}
    for problem in found.problems:
        problems.setdefault(problem.path, []).append(str(problem))
    pipelines = {PurePosixPath(path).stem: one for path, one in found.pipelines.items()}
    return [contract_of(case, pipelines, problems) for case in found.cases]


def make_case(
    folder: Path, environments_dir: str | None, task: str, name: str | None, inputs: Sequence[str], *, accept: bool
) -> str:
    """Makes a case and says what to do with it; its path."""
    if name is None:
        raise WindlassError("--new needs --case NAME: what the case shows, such as empty_name")
    _, found = check_with_environments(folder, environments_dir)
    path = new_case(folder, task, name, inputs, found.pipelines)
    console.say(f"made {path}")
    if not accept:
        console.step(
            f"say what you expect: files in {path}/expected/, or expect in {path}/case.yml; "
            f"`windlass test {name} --accept` takes what the job writes now"
        )
    return path


def run(
    folder: Path, chosen: Chosen, at_once: int | None, *, accept: bool, environment: Environment | None = None
) -> Done:
    """Runs the tests of the models one after the other, then the cases at once, with the memory of `environment`."""
    if environment is None and chosen.contracts:
        console.step(UNKNOWN)
    models = [_of_model(folder, name, model) for name, model in chosen.models.items() if _has_tests(name, model)]
    count = len(chosen.contracts)
    seen: list[Result] = []

    def see(result: Result) -> None:
        seen.append(result)
        advance()
        word = "FAILED" if result.problems else "passed"
        more = f", accepted {', '.join(result.accepted)}" if result.accepted else ""
        if result.contract.expects_little and not more:
            more = "; it expects nothing but a good end"
        console.step(f"[{len(seen)}/{count}] {word} {result.contract.name} {result.seconds:.1f} s{more}")

    def copy_code(model: Model, target: Path) -> None:
        for path in model.code:
            copy_files(folder, find_files(folder, path, "code"), target)

    with _bar(count) as advance:
        cases = run_cases(
            chosen.contracts,
            folder,
            chosen.all_models,
            copy_code,
            see,
            at_once=at_once or os.cpu_count() or 1,
            accept=accept,
            limits_of=limits_in(environment.runtime.flavors if environment else None),
        )
    return Done(models, cases, chosen.without)


@contextmanager
def _bar(count: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error that is told of each case which has ended; nothing where no one looks."""
    if not console.err.is_terminal or count < 2:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console.err, transient=True) as bar:
        task = bar.add_task("cases", total=count)
        yield lambda: bar.advance(task)


def _has_tests(name: str, model: Model) -> bool:
    if model.tests is None:
        console.warn(f"models/{name}.yml names no tests")
    return model.tests is not None


def _of_model(folder: Path, name: str, model: Model) -> ModelResult:
    console.step(f"{name}: {model.tests}")
    finished = run_tests(folder, model.tests or "", console.step)
    return ModelResult(name, finished.seconds, finished.reason, tuple(finished.tail))
