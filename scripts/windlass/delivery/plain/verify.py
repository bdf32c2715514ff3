"""What an Airflow must report of a project that is laid out as files, where no bundle version tells one from another.

What Airflow 3.3.2 gives, and what follows from it. `dagSources` is the text of the DAG's file, but read when the result
of a parse is collected: a parse that was under way while the file was exchanged shows the new text with the old tasks.
`last_parsed_time` moves with every parse, also of a copy that was not synchronised yet. A request to parse makes the
processor refresh the bundle before it begins another parse. So a DAG counts as shown when its text is the release's,
it was parsed after all its files lay in S3, and, unless they lay there long enough to have reached every copy, it was
parsed twice more since this verification asked for it: the second of these parses began after a refresh.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from windlass.delivery.place import Place
from windlass.delivery.plain.lay_out import require_laid_out
from windlass.delivery.plain.own import list_files
from windlass.delivery.release.fingerprint import runs_in_every_dag
from windlass.delivery.verification.verify import Expectation, Look
from windlass.spec.airflow import AirflowReports, DagReport
from windlass.spec.state import State

SETTLED = timedelta(minutes=15)
"""After so long a file has reached every copy: three times the refresh interval of a bundle that nobody configured."""
_PARSES = 3
"""How many parses must have been seen, the one before the first request included."""


def expectation(place: Place, state: State, project: str) -> Expectation:
    """What an Airflow must report for `project` in `state`, by the way in which releases reach it."""
    return PlainExpectation(place, state, project) if place.plain else Expectation(place, state, project)


@dataclass
class PlainExpectation(Expectation):
    """The expectation of an environment with `bundle: plain`.

    TransientError when its files are not laid out as the state says: then Airflow cannot be asked yet.
    """

    _since: dict[str, datetime] = field(default_factory=dict)
    _parses: dict[str, set[str | None]] = field(default_factory=dict)
    _sources: dict[str, tuple[str | None, bool]] = field(default_factory=dict)
    _moved: bool = False
    _name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._name = self.state.name
        require_laid_out(self.place, self.state, self.project)
        times = {
            path.removeprefix(f"{self.project}/"): listed.modified
            for path, listed in list_files(self.place, self.project).items()
        }
        release = self._release.files if self._release else {}
        shared = [times[path] for path in times if path in release and runs_in_every_dag(path)]
        for dag_id in self.dag_ids:
            own = times.get(f"dags/{dag_id}.py")
            self._since[dag_id] = max([own, *shared]) if own else datetime.max.replace(tzinfo=UTC)

    def look(self, airflow: AirflowReports, bundle: str) -> Look:
        """What the Airflow shows now of what it should show."""
        self._moved = False
        return super().look(airflow, bundle)

    def lag(self, airflow: AirflowReports, bundle: str, dag_id: str, report: DagReport | None) -> str | None:
        """How the DAG is that is not as it should be; None when it is."""
        seen = self._parses.setdefault(dag_id, set())
        parsed = report.parsed if report else None
        is_new = bool(seen) and parsed not in seen
        seen.add(parsed)
        if report is None or parsed is None:
            return "not there"
        since, at = self._since[dag_id], datetime.fromisoformat(parsed)
        self._moved = self._moved or is_new
        if at <= since:
            return f"not parsed since its files were laid out at {since:%H:%M:%S}"
        if not self._has_source(airflow, dag_id, parsed):
            return "shown with another text than the release's"
        if at - since < SETTLED and len(seen) < _PARSES:
            return "to be parsed once more, after Airflow has fetched the files"
        return None

    def shown_as(self, report: DagReport) -> str:
        """The state, of which the text of the DAG's file is."""
        return self._name

    def moved(self) -> bool:
        """Whether a DAG was parsed again: the next request need not wait."""
        return self._moved

    def excuse(self) -> str | None:
        """Nothing that Airflow reports shows that it has fetched the files at all."""
        return "look whether this Airflow fetches them (refresh_interval of its bundle, or its own synchronisation)"

    def _has_source(self, airflow: AirflowReports, dag_id: str, parsed: str) -> bool:
        """Whether Airflow has the release's text; asked once for each parse."""
        if self._sources.get(dag_id, (None, False))[0] != parsed:
            assert self._release is not None
            wanted = self._release.files[f"dags/{dag_id}.py"].decode("utf-8", "replace")
            self._sources[dag_id] = parsed, _lines(airflow.source(dag_id)) == _lines(wanted)
        return self._sources[dag_id][1]


def _lines(text: str) -> str:
    """The text as Airflow reads a file: every line ends in the same way."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
