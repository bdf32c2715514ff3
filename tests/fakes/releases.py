"""Small releases and states to test with."""

import hashlib
import json

from windlass.delivery.history.states import copy_key, pointer_key
from windlass.delivery.release.archive import Archive, build_archive
from windlass.spec.environment import Buckets, RuntimeSettings
from windlass.spec.release import release_key
from windlass.spec.state import Deployment, ProjectState, State
from windlass.spec.store import Store

PREFIX = "dev"
SETTINGS = RuntimeSettings(name="dev", prefix=PREFIX, s3=Buckets(code="code", models="models", data="data"))

DAG = '''"""Says {word}. An airflow dag."""

from airflow.sdk import DAG
from {project}.operators.say import Say

with DAG(dag_id="{dag_id}", schedule=None):
    Say(task_id="say", word="{word}")
'''
OPERATOR = """from airflow.sdk import BaseOperator

WORD = "{word}"


class Say(BaseOperator):
    def __init__(self, *, word, **kwargs):
        super().__init__(**kwargs)
        self.word = word

    def execute(self, context):
        return WORD + self.word
"""


def release_files(
    project: str, dags: dict[str, str], operator: str = "I say ", models: dict[str, str] | None = None
) -> dict[str, bytes]:
    """The files of a release whose DAGs each say a word."""
    files = {
        f"dags/{dag_id}.py": DAG.format(project=project, dag_id=dag_id, word=word) for dag_id, word in dags.items()
    }
    manifest = {
        "format": 1,
        "project": project,
        "pipelines": {
            dag_id: {"path": f"pipelines/{dag_id}.yml", "source": hashlib.sha256(word.encode()).hexdigest()}
            for dag_id, word in dags.items()
        },
        "models": models or {},
    }
    files |= {
        "__init__.py": "",
        ".airflowignore": "operators/\nruntime/\nfiles/\n",
        "operators/__init__.py": "",
        "operators/say.py": OPERATOR.format(word=operator),
        "manifest.json": json.dumps(manifest, sort_keys=True),
    }
    return {path: text.encode() for path, text in files.items()}


def make_release(project: str, dags: dict[str, str], operator: str = "I say ") -> Archive:
    """The archive of `release_files`."""
    return build_archive(project, release_files(project, dags, operator))


def make_state(releases: dict[str, Archive], serial: int = 1, settings: RuntimeSettings = SETTINGS) -> State:
    """A state in which `releases` are live."""
    project, archive = next(iter(releases.items()))
    return State(
        serial=serial,
        previous=None,
        environment=settings,
        projects={
            name: ProjectState(release=one.digest, commit="c" * 40, url="https://gitlab.example/ocr/digits")
            for name, one in releases.items()
        },
        deployment=Deployment(
            action="promote", project=project, release=archive.digest, commit="c" * 40, at="2026-11-22T10:00:00Z"
        ),
    )


def deliver(store: Store, releases: dict[str, Archive], serial: int = 1, settings: RuntimeSettings = SETTINGS) -> State:
    """Puts releases and state into `store` as a promotion would, without its safety."""
    state = make_state(releases, serial, settings)
    for name, archive in releases.items():
        store.put(release_key(settings.prefix, name, archive.digest), archive.content)
    store.put(copy_key(settings.prefix, state.name), state.to_json())
    store.put(pointer_key(settings.prefix), state.to_json())
    return state
