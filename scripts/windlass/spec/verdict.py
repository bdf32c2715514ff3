"""A verdict: what a verification found out about a release in an environment; the next environment asks for it."""

from typing import Literal

from windlass.spec.names import Word
from windlass.spec.release import Digest
from windlass.spec.schema import Noun

Result = Literal["pass", "fail", "inconclusive"]


class SmokeRun(Noun):
    """The DAG run that a verification began or found again, and the key of the file that it delivered."""

    dag_id: str
    run_id: str
    delivered: str | None = None


class Verdict(Noun):
    """One verdict. `dags` are the versions that Airflow reported; `reason` says why it is not `pass`."""

    result: Result
    state: str
    reason: str | None = None
    dags: dict[str, str] = {}
    gone: list[str] = []
    run: SmokeRun | None = None
    seconds: float = 0.0
    actor: str | None = None
    job_url: str | None = None
    at: str


class Verdicts(Noun):
    """All verdicts about one release in one environment, newest first."""

    project: Word
    release: Digest
    verdicts: list[Verdict]

    @property
    def decisive(self) -> Verdict | None:
        """The one that counts: the newest `pass` or `fail`. An inconclusive one says nothing of the release, so it
        counts only where there is no other."""
        said = [verdict for verdict in self.verdicts if verdict.result != "inconclusive"]
        return next(iter(said or self.verdicts), None)


def verdicts_key(prefix: str, project: str, digest: str) -> str:
    """Where the verdicts about a release in an environment are kept in the code bucket."""
    return f"{prefix}/verdicts/{project}/{digest}.json"
