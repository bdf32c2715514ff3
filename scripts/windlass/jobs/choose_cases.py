"""Which contract tests are meant by the names that a person gives."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from windlass.jobs.contract import Contract
from windlass.spec.errors import WindlassError
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import near


def choose(names: Sequence[str], contracts: Sequence[Contract], models: Collection[str]) -> list[Contract]:
    """The cases that any of the names fits; all without names. A name is one of a model or of cases, else an error.

    A name is a case, a task, a pipeline, or several of them with `/` between; `*` stands for anything.
    """
    if not names:
        return list(contracts)
    found: dict[str, Contract] = {}
    for name in names:
        fitting = [contract for contract in contracts if _fits(name, contract)]
        if not fitting and name not in models:
            known = {*models, *(word for contract in contracts for word in words_of(contract))}
            raise WindlassError(f"there is no model {name!r} in models/ and no case of that name{near(name, known)}")
        found |= {contract.file.path: contract for contract in fitting}
    return [contract for contract in contracts if contract.file.path in found]


def words_of(contract: Contract) -> list[str]:
    """All that a case may be called."""
    pipeline, task, case = contract.file.pipeline, contract.task_id, contract.file.name
    last = task.rpartition(".")[2]
    found = [pipeline, case, contract.file.path, contract.name]
    for one in dict.fromkeys((task, last, contract.file.task)):
        found += [one, f"{one}/{case}", f"{pipeline}/{one}", f"{pipeline}/{one}/{case}"]
    return list(dict.fromkeys(found))


def without_case(contracts: Iterable[Contract], pipelines: Iterable[Pipeline]) -> list[str]:
    """The jobs that no case is about, as `<pipeline>/<group.task>`."""
    tested = {(contract.file.pipeline, contract.task_id) for contract in contracts}
    return [
        f"{pipeline.dag.name}/{task_id}"
        for pipeline in pipelines
        for task_id, task in pipeline.task_ids.items()
        if task.job and (pipeline.dag.name, task_id) not in tested
    ]


def _fits(name: str, contract: Contract) -> bool:
    wanted = name.rstrip("/")
    return any(fnmatchcase(word, wanted) for word in words_of(contract))
