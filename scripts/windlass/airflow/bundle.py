"""ReleaseBundle: a versioned Airflow DAG bundle of the releases that are live in one windlass environment.

In Airflow's configuration:

    [dag_processor]
    dag_bundle_config_list = [{"name": "windlass", "classpath": "windlass.airflow.bundle.ReleaseBundle",
                               "kwargs": {"bucket": "windlass-code", "prefix": "prod"}}]

The DAG processor follows `state.json` with one conditional GET per refresh. A task asks for the version that its run
began with, and finds exactly that one. When S3 is away, or offers something that was tampered with, the last staged
version goes on serving and the log says why. The same holds for a release that none of `signers` signed.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles import base
from airflow.dag_processing.bundles.base import BaseDagBundle
from airflow.sdk.exceptions import AirflowException

from windlass.airflow.disk import Disk
from windlass.delivery.history.states import STATE_NAME, checked_state, load_named, pointer_key
from windlass.delivery.release.archive import read_archive
from windlass.delivery.release.trust import Claim, Distrusted, Trust, fetch_record
from windlass.spec.errors import DeliveryError, WindlassError
from windlass.spec.release import release_key
from windlass.spec.signer import read_signers
from windlass.spec.state import State
from windlass.spec.store import Missing, Store

log = logging.getLogger(__name__)

_AT_ONCE = 8
_VERSION: Any = getattr(base, "BundleVersion", None)
"""Airflow before 3.3 takes the name of a version alone."""
_SECONDS, _ATTEMPTS = 15, 2  # the DAG processor waits for a refresh: better to try again at the next one


class ReleaseBundle(BaseDagBundle):
    """The releases live at `s3://bucket/prefix`; `projects` limits them to some projects.

    With `signers`, public keys by name, it serves only releases whose record has the signature of one of them. Whom to
    trust stands in Airflow's configuration and nowhere in the bucket: whoever may write there must not decide it.

    Credentials come from the Airflow connection `aws_conn_id`, or without one from boto3's own chain;
    `endpoint` is for stores other than AWS.
    """

    supports_versioning = True

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str,
        aws_conn_id: str | None = None,
        endpoint: str | None = None,
        projects: list[str] | None = None,
        signers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if self.version is not None and not STATE_NAME.fullmatch(self.version):
            raise AirflowException(f"bundle {self.name}: {self.version!r} is not the name of a state")
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.aws_conn_id = aws_conn_id
        self.endpoint = endpoint
        try:
            self.signers = {} if signers is None else read_signers(signers)
        except ValueError as error:
            raise AirflowException(f"bundle {self.name}: signers: {error}") from error
        self._proven: str | None = None
        self._disk = Disk(self.base_dir, projects)
        self._opened: Store | None = None

    @property
    def path(self) -> Path:
        """The version's own folder; for the DAG processor a link that leads to the live one."""
        return self.versions_dir / self.version if self.version else self._disk.current

    def initialize(self) -> None:
        """Stages the version that was asked for, or the live one. Safe in many processes at once."""
        if self.version is None:
            self._follow()
        elif not self._disk.is_whole(self.path):
            with self.lock():
                if not self._disk.is_whole(self.path):
                    self._stage_version(self.version)
        super().initialize()

    def refresh(self) -> None:
        """Follows `state.json`; whatever goes wrong is logged, and the last staged version goes on serving."""
        if self.version:
            raise AirflowException("a bundle of one version cannot be refreshed")
        self._follow()

    def get_current_version(self) -> Any:
        """The name of the state and where each project's release comes from; None before the first promotion."""
        if self.version:
            state = self._disk.state_of(self.path)
            return _version(self.version, self._origin(state) if state else None)
        live = self._disk.live_state()
        return _version(live.name, self._origin(live)) if live else None

    def view_url_template(self) -> str | None:
        """The GitLab project, when all releases of the bundle come from one."""
        if self._view_url_template:
            return self._view_url_template
        state = self._disk.live_state() or self._peek()
        urls = {project.url for project in self._disk.chosen(state).values()} if state else set()
        url = urls.pop() if len(urls) == 1 else None
        return url.replace("{", "{{").replace("}", "}}") if url else None

    def _follow(self) -> None:
        with self.lock():
            try:
                self._follow_once()
            except (WindlassError, AirflowException) as error:
                live = self._disk.live_state()
                if live is None:
                    raise  # an empty bundle would make Airflow forget every DAG
                log.error("bundle %s stays at version %s: %s", self.name, live.name, error)

    def _follow_once(self) -> None:
        key = pointer_key(self.prefix)
        try:
            found = self._store.get_if_changed(key, self._disk.etag() if self._is_proven() else None)
        except Missing:
            if live := self._disk.live_state():
                message = f"s3://{self.bucket}/{key} is gone, and version {live.name} was live"
                raise DeliveryError(f"{message}; restore it, or remove {self.base_dir} to begin anew") from None
            self._disk.go_empty()
            return
        if found is None:
            return
        state = checked_state(found, f"s3://{self.bucket}/{key}")
        self._stage_releases(state)
        self._disk.go_live(state, found.etag)
        self._disk.clean()
        log.info("bundle %s is at version %s", self.name, state.name)

    def _stage_version(self, version: str) -> None:
        state = load_named(self._store, self.prefix, version)
        self._stage_releases(state)
        self._disk.link_version(state, self.path)
        self._disk.clean()
        log.info("bundle %s: staged version %s", self.name, version)

    def _stage_releases(self, state: State) -> None:
        """Unpacks the releases of `state` that are not here yet; they and their records are fetched in parallel."""
        trust, claims = self._trust(state), self._claims(state)
        wanted = [claim for claim in claims if not self._disk.has_release(claim.release)]
        unproven = [claim for claim in claims if not self._has_proof(trust, claim)]
        store = self._store  # opened in this thread: Airflow looks up connections in no other
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            keys = [release_key(self.prefix, claim.project, claim.release) for claim in wanted]
            archives = pool.map(store.get, keys)
            records = list(pool.map(lambda claim: fetch_record(store, self.prefix, claim), unproven))
            for claim, record in zip(unproven, records, strict=True):
                trust.require(claim, record)  # all of them before anything is unpacked
            for claim, found in zip(wanted, archives, strict=True):
                self._disk.keep_release(read_archive(claim.project, claim.release, found.content))
        for claim, record in zip(unproven, records, strict=True):
            self._disk.keep_record(claim.release, claim.commit, record or b"")

    def _is_proven(self) -> bool:
        """Whether the live releases have the signatures that are asked for today: signers may have changed since."""
        live = self._disk.live_state()
        if live is None or live.name == self._proven:
            return True
        if all(self._has_proof(self._trust(live), claim) for claim in self._claims(live)):
            self._proven = live.name
        return live.name == self._proven

    def _has_proof(self, trust: Trust, claim: Claim) -> bool:
        """Whether the record that was kept beside the staged release is enough; without signers nothing is needed."""
        if not self.signers:
            return True
        try:
            trust.require(claim, self._disk.record_of(claim.release, claim.commit))
        except Distrusted:
            return False
        return True

    def _trust(self, state: State) -> Trust:
        return Trust(state.environment.name, self.signers, state.environment.name)

    def _claims(self, state: State) -> list[Claim]:
        return [Claim(name, live.release, live.commit) for name, live in self._disk.chosen(state).items()]

    def _origin(self, state: State) -> dict[str, Any]:
        projects = {
            name: {"release": project.release, "commit": project.commit, "tag": project.tag}
            for name, project in self._disk.chosen(state).items()
        }
        return {"serial": state.serial, "environment": state.environment.name, "projects": projects}

    def _peek(self) -> State | None:
        """The live state without staging it, or None: a link in the UI is not worth an error."""
        try:
            return checked_state(self._store.get(pointer_key(self.prefix)), pointer_key(self.prefix))
        except (WindlassError, AirflowException) as error:
            log.debug("bundle %s: no link to GitLab: %s", self.name, error)
            return None

    @property
    def _store(self) -> Store:
        if self._opened is None:
            from windlass.adapters.s3 import Bucket, open_bucket  # a task that finds its version staged needs no boto3

            if self.aws_conn_id:
                from airflow.providers.amazon.aws.hooks.s3 import S3Hook

                self._opened = Bucket(S3Hook(aws_conn_id=self.aws_conn_id).get_conn(), self.bucket)
            else:
                self._opened = open_bucket(self.bucket, self.endpoint, timeout=_SECONDS, attempts=_ATTEMPTS)
        return self._opened


def _version(name: str, origin: dict[str, Any] | None) -> Any:
    return _VERSION(name, origin) if _VERSION else name
