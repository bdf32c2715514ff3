"""Waits until the target Airflow itself reports what was promoted, and says what it saw.

What Airflow 3.3.2 does, and what follows from it: a DAG's `bundle_version` is written when its file is parsed, and a
file is parsed again when its mtime is new or `min_file_process_interval` is over. ReleaseBundle gives a new mtime to
exactly those DAG files that would run differently. So a DAG whose file, operators and settings are as before goes on
reporting an earlier version, for hours where that interval is long, and rightly so: a run of it under either version is
the same run. A DAG is therefore verified when the version that Airflow reports, be it the promoted one or any other,
holds the same release content for this DAG and the same settings. Two records must agree, `dag.bundle_version` and the
DAG's newest `dag_version`: within `min_serialized_dag_update_interval` of the last change (30 seconds by default)
Airflow moves only the first, and would schedule the old tasks with the new code.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from windlass.delivery.history.states import STATE_NAME, load_named
from windlass.delivery.place import Place
from windlass.delivery.promotion.survey import load_release
from windlass.delivery.release.archive import Release
from windlass.delivery.release.fingerprint import fingerprints
from windlass.spec.airflow import AirflowReports, DagReport, ImportProblem
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.state import State

POLL = 1.0
NUDGE = 10.0
"""Seconds after which Airflow is asked again to look at what lags behind."""
SETTLED = 15.0
"""Seconds that a new import error must stay before it is believed: Airflow looks again at files that are new."""
AWAY = 30.0
"""Seconds without any answer after which Airflow counts as away and not as restarting; never longer than `timeout`."""
_NUDGED_AT_ONCE = 5


class VerificationFailed(DeliveryError):
    """The release is to blame, and not a service on which its verification depends."""


@dataclass(frozen=True)
class Seen:
    """What Airflow reported at the end: each DAG's version, and the DAGs of the project that are gone."""

    state: str
    versions: dict[str, str]
    gone: list[str]
    seconds: float


@dataclass
class Expectation:
    """What an Airflow must report for `project` in `state`, and which other states mean the same for a DAG."""

    place: Place
    state: State
    project: str
    _same: dict[str, set[str]] = field(default_factory=dict)
    _serialized: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._release = self._load(self.state)
        self._same[self.state.name] = set(self.dag_ids)

    @property
    def dag_ids(self) -> list[str]:
        """The DAGs that the project's release holds; none when it has no release."""
        return sorted(self._release.manifest.pipelines) if self._release else []

    def look(self, airflow: AirflowReports, bundle: str) -> "Look":
        """What the Airflow shows now of what it should show."""
        self._serialized.clear()
        folder = f"{self.project}/"
        reports = airflow.dags(bundle)
        alive = {report.dag_id: report for report in reports if report.file.startswith(folder) and not report.is_stale}
        lags = {dag_id: self.lag(airflow, bundle, dag_id, alive.get(dag_id)) for dag_id in self.dag_ids}
        lagging = {dag_id: why for dag_id, why in lags.items() if why is not None}
        late = [alive[dag_id].token for dag_id in lagging if dag_id in alive]
        any_file = [report.token for report in reports if not report.is_stale]
        return Look(
            versions={dag_id: self.shown_as(alive[dag_id]) for dag_id, why in lags.items() if why is None},
            lagging=lagging,
            lingering=sorted(alive.keys() - set(self.dag_ids)),
            gone=sorted(report.dag_id for report in reports if report.file.startswith(folder) and report.is_stale),
            problems=[problem for problem in airflow.import_problems(bundle) if problem.file.startswith(folder)],
            tokens=late[:_NUDGED_AT_ONCE] or any_file[:1],
            moved=self.moved(),
        )

    def lag(self, airflow: AirflowReports, bundle: str, dag_id: str, report: DagReport | None) -> str | None:
        """How the DAG is that is not as it should be; None when it is."""
        version = report.version if report else None
        if version is None:
            return "not there"
        if self.is_met_by(dag_id, version):
            if version not in self._serialized:
                self._serialized[version] = airflow.serialized_at(bundle, version)
            if dag_id in self._serialized[version]:
                return None
        return f"at {version}"

    def shown_as(self, report: DagReport) -> str:
        """The version that Airflow shows of a DAG that is as it should be."""
        return report.version or self.state.name

    def moved(self) -> bool:
        """Whether to ask Airflow again before its time."""
        return False

    def excuse(self) -> str | None:
        """Why what is missing may be missing though nothing is wrong with the release; None where it may not."""
        return None

    def is_met_by(self, dag_id: str, version: str | None) -> bool:
        """Whether the DAG is the same in `version` as in the state."""
        if version is None or not STATE_NAME.fullmatch(version):
            return False
        if version not in self._same:
            self._same[version] = self._compare(version)
        return dag_id in self._same[version]

    def _compare(self, version: str) -> set[str]:
        try:
            other = load_named(self.place.code, self.place.prefix, version)
            release = self._load(other)
        except DeliveryError:
            return set()
        if release is None or self._release is None or other.environment != self.state.environment:
            return set()
        wanted = fingerprints(self._release.files)
        return {dag_id for dag_id, print_ in fingerprints(release.files).items() if wanted.get(dag_id) == print_}

    def _load(self, state: State) -> Release | None:
        live = state.projects.get(self.project)
        return load_release(self.place, self.project, live.release) if live else None


def verify(
    airflow: AirflowReports,
    bundle: str,
    expected: Expectation,
    timeout: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda message: None,
) -> Seen:
    """What Airflow reports once it has the promoted state.

    Raises VerificationFailed when a file of the project cannot be imported, or when DAGs are missing after `timeout`
    seconds though Airflow's DAG processor is well; TransientError when it is not, or when Airflow is away.
    """
    begin, nudged, told = monotonic(), -NUDGE, ""
    last_answer = begin
    known: set[tuple[str, str]] | None = None
    broken_since: float | None = None
    while True:
        try:
            look = expected.look(airflow, bundle)
        except TransientError:
            if monotonic() - last_answer >= min(AWAY, timeout):
                raise
            sleep(POLL)
            continue
        last_answer = monotonic()
        if not look.lagging and not look.lingering and not look.problems:
            return Seen(expected.state.name, look.versions, look.gone, monotonic() - begin)
        now = monotonic() - begin
        problems = {(problem.file, problem.at) for problem in look.problems}
        known = problems if known is None else known
        broken_since = (broken_since if broken_since is not None else now) if problems - known else None
        if broken_since is not None and now - broken_since >= SETTLED:
            raise VerificationFailed(_broken(expected, look.problems))
        if now >= timeout:
            _give_up(airflow, expected, look, timeout)
        if look.summary != told:
            progress(told := look.summary)
        if now - nudged >= NUDGE or look.moved:
            nudged = now
            _nudge(airflow, look)
        sleep(POLL)


@dataclass(frozen=True)
class Look:
    """One look at an Airflow: `lagging` DAGs with how they are, `lingering` ones that should be gone.

    `moved` says that Airflow did what it was asked for, and that there is more to ask for.
    """

    versions: dict[str, str]
    lagging: dict[str, str]
    lingering: list[str]
    gone: list[str]
    problems: list[ImportProblem]
    tokens: list[str]
    moved: bool = False

    @property
    def summary(self) -> str:
        total = len(self.versions) + len(self.lagging)
        parts = [f"{len(self.versions)} of {total} DAGs are as promoted"]
        if self.lingering:
            parts.append(f"{len(self.lingering)} are not gone yet")
        if self.problems:
            parts.append(f"{len(self.problems)} files cannot be imported")
        return ", ".join(parts)


def _nudge(airflow: AirflowReports, look: Look) -> None:
    """Saves waiting for the bundle's refresh interval; an account that may not ask for it simply waits."""
    for token in look.tokens:
        try:
            airflow.ask_to_parse(token)
        except ServiceError:
            return


def _broken(expected: Expectation, problems: Iterable[ImportProblem]) -> str:
    quoted = "; ".join(f"{problem.file}: {_last_line(problem.stacktrace)}" for problem in problems)
    return (
        f"{expected.place.name}: Airflow cannot import files of {expected.project} at {expected.state.name}: {quoted}"
    )


def _give_up(airflow: AirflowReports, expected: Expectation, look: Look, timeout: float) -> None:
    """What is missing is the release's fault only where the DAG processor could have shown it."""
    missing = _missing(expected, look, timeout)
    if reason := airflow.processor_problem():
        raise TransientError(f"{missing}; {reason}")
    if not look.problems and (reason := expected.excuse()):
        raise TransientError(f"{missing}; {reason}")
    raise VerificationFailed(missing)


def _missing(expected: Expectation, look: Look, timeout: float) -> str:
    parts = [f"DAG {dag_id!r} is {why}" for dag_id, why in list(look.lagging.items())[:10]]
    if len(look.lagging) > 10:
        parts.append(f"and {len(look.lagging) - 10} more DAGs")
    parts += [f"DAG {dag_id!r} should be gone" for dag_id in look.lingering[:10]]
    parts += [f"{problem.file} cannot be imported: {_last_line(problem.stacktrace)}" for problem in look.problems]
    waited = f"after {timeout:g} seconds"
    return f"{expected.place.name}: Airflow does not show {expected.state.name} {waited}: {'; '.join(parts)}"


def _last_line(stacktrace: str) -> str:
    lines = [line.strip() for line in stacktrace.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no traceback"
