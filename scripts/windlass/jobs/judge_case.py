"""Says what a job made otherwise than its contract test expects, or takes what it made as what is expected."""

from pathlib import Path

from windlass.jobs.contract import Bench, CaseRun, Contract, place
from windlass.jobs.expectation import Expectation, problems_of_failure, problems_of_output
from windlass.runtime.checked import Checked
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.output_checks import check_path
from windlass.spec.case import ExpectedOutput
from windlass.spec.case_file import EXPECTED


def expectations(contract: Contract, project: Path) -> dict[str, Expectation]:
    """What is expected of each output of the job."""
    found = {}
    for port, name in contract.task.filenames.items():
        output = contract.file.case.expect.get(port, ExpectedOutput())
        path = output.equal or (f"{EXPECTED}/{name}" if name in contract.file.expected else None)
        found[port] = Expectation(output, place(project, contract.file, path) if path else None)
    return found


def judge(contract: Contract, bench: Bench, run: CaseRun, scratch: Path) -> tuple[list[str], list[str]]:
    """What is not as expected, and which files were accepted as what is expected from now on."""
    fails = contract.file.case.fails
    if fails is not None:
        if run.reason is None:
            return ["the job was expected not to end well, and it did"], []
        return problems_of_failure(fails, run.exit_code, run.reason, tuple(run.lines)), []
    if run.reason is not None:
        return [run.reason], []
    declared = [_declared(contract, port, path, scratch) for port, path in run.written.items()]
    problems = [reason for reason in declared if reason]
    accepted = _accept(contract, bench, run) if bench.accept and not problems else []
    for port, expected in expectations(contract, bench.project).items():
        is_new = contract.task.filenames[port] in accepted
        problems += problems_of_output(port, run.written[port], Expectation(expected.output) if is_new else expected)
    return problems, accepted


def _declared(contract: Contract, port: str, path: Path, scratch: Path) -> str | None:
    """What the pipeline itself says about the output and is not so."""
    checks = contract.task.checks.get(port)
    try:
        if checks:
            check_path(port, Checked(path.name, **checks), path, scratch)
    except RuntimeStop as stop:
        return str(stop)
    return None


def _accept(contract: Contract, bench: Bench, run: CaseRun) -> list[str]:
    """Writes the outputs as what is expected, unless `case.yml` checks them without a file; the names of these."""
    accepted = []
    for port, expected in expectations(contract, bench.project).items():
        name = contract.task.filenames[port]
        if expected.file is None and port in contract.file.case.expect:
            continue
        target = expected.file or bench.project / contract.file.path / EXPECTED / name
        if not target.resolve().is_relative_to(bench.project.resolve()) or (target.exists() and not target.is_file()):
            raise RuntimeStop(f"{target} is no file of the project, so nothing is written to it")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(run.written[port].read_bytes())
        accepted.append(name)
    return accepted
