"""What ReleaseBundle stages, when, and what it does when S3 or the bytes in it cannot be trusted."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.airflow.conftest import BundleFactory
from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import SETTINGS, deliver, make_release
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.release import release_key

pytestmark = pytest.mark.airflow

ONE = make_release("digits", {"read": "one", "write": "same"})
TWO = make_release("digits", {"read": "two", "write": "same"})
OTHER = make_release("letters", {"sort": "abc"})
NEW_OPERATOR = make_release("digits", {"read": "one", "write": "same"}, operator="You say ")


def dag(bundle: object, path: str = "digits/dags/read.py") -> str:
    return Path(bundle.path, path).read_text()


def mtime(bundle: object, path: str) -> int:
    return Path(bundle.path, path).stat().st_mtime_ns


def test_an_environment_without_any_promotion_is_an_empty_bundle(bundle: BundleFactory) -> None:
    made = bundle()
    made.initialize()
    assert list(made.path.iterdir()) == []
    assert made.get_current_version() is None


def test_the_live_state_is_staged_with_one_get_of_the_state_and_one_per_release(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    state = deliver(store, {"digits": ONE, "letters": OTHER})
    store.calls.clear()
    made = bundle()
    made.initialize()
    archives = [release_key("dev", "digits", ONE.digest), release_key("dev", "letters", OTHER.digest)]
    assert sorted(store.calls) == [*(f"get {key}" for key in archives), "get dev/state.json"]
    version = made.get_current_version()
    assert version.version == state.name
    assert version.data["projects"]["digits"] == {"release": ONE.digest, "commit": "c" * 40, "tag": None}
    assert sorted(path.name for path in made.path.iterdir()) == ["digits", "environment.json", "letters", "state.json"]


def test_a_refresh_without_a_change_is_one_conditional_get_even_in_a_new_process(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    deliver(store, {"digits": ONE})
    bundle().initialize()
    store.calls.clear()
    made = bundle()
    made.initialize()
    made.refresh()
    assert store.calls == ["get dev/state.json", "get dev/state.json"]


def test_a_promotion_swaps_the_live_folder_and_leaves_the_version_of_a_running_task(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    first = deliver(store, {"digits": ONE})
    live, running = bundle(), bundle(first.name)
    live.initialize()
    running.initialize()
    second = deliver(store, {"digits": TWO}, serial=2)
    live.refresh()
    assert '"two"' in dag(live)
    assert '"one"' in dag(running)
    assert live.get_current_version().version == second.name
    assert running.get_current_version().version == first.name


def test_a_task_on_an_empty_disk_finds_exactly_the_version_of_its_run(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    first = deliver(store, {"digits": ONE})
    deliver(store, {"digits": TWO}, serial=2)
    store.calls.clear()
    made = bundle(first.name)
    made.initialize()
    assert '"one"' in dag(made)
    assert len(store.calls) == 2
    assert bundle(first.name).path == made.path


def test_only_a_dag_that_would_run_differently_gets_a_new_mtime(bundle: BundleFactory, store: MemoryStore) -> None:
    deliver(store, {"digits": ONE})
    made = bundle()
    made.initialize()
    before = {path: mtime(made, f"digits/dags/{path}.py") for path in ("read", "write")}
    deliver(store, {"digits": TWO}, serial=2)
    made.refresh()
    assert mtime(made, "digits/dags/write.py") == before["write"]
    assert mtime(made, "digits/dags/read.py") > before["read"]


def test_a_new_operator_or_new_settings_make_every_dag_of_the_project_new(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    deliver(store, {"digits": ONE})
    made = bundle()
    made.initialize()
    before = mtime(made, "digits/dags/write.py")
    deliver(store, {"digits": NEW_OPERATOR}, serial=2)
    made.refresh()
    middle = mtime(made, "digits/dags/write.py")
    assert middle > before
    deliver(store, {"digits": NEW_OPERATOR}, serial=3, settings=SETTINGS.model_copy(update={"images": {"a": "b"}}))
    made.refresh()
    assert mtime(made, "digits/dags/write.py") > middle


def test_a_rollback_to_a_release_that_is_still_on_disk_makes_its_dag_new_again(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    deliver(store, {"digits": ONE})
    made = bundle()
    made.initialize()
    deliver(store, {"digits": TWO}, serial=2)
    made.refresh()
    middle = mtime(made, "digits/dags/read.py")
    store.calls.clear()
    deliver(store, {"digits": ONE}, serial=3)
    made.refresh()
    assert '"one"' in dag(made)
    assert mtime(made, "digits/dags/read.py") > middle


def test_while_s3_is_away_the_last_version_goes_on_serving_even_in_a_new_process(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    state = deliver(store, {"digits": ONE})
    bundle().initialize()

    def away(call: str) -> None:
        raise TransientError("s3://code/dev/state.json: S3 does not answer")

    store.before = away
    made = bundle()
    made.initialize()
    made.refresh()
    assert made.is_initialized
    assert '"one"' in dag(made)
    assert f"stays at version {state.name}: s3://code/dev/state.json: S3 does not answer" in caplog.text


def test_on_an_empty_disk_an_outage_is_an_error_and_not_an_empty_bundle(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    def away(call: str) -> None:
        raise TransientError("S3 does not answer")

    store.before = away
    made = bundle()
    with pytest.raises(TransientError):
        made.initialize()
    assert not made.is_initialized


def test_a_state_that_vanishes_does_not_empty_the_bundle(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(store, {"digits": ONE})
    made = bundle()
    made.initialize()
    del store.objects["dev/state.json"]
    made.refresh()
    assert '"one"' in dag(made)
    assert "is gone" in caplog.text


def test_an_altered_archive_is_refused_by_name_and_the_last_version_goes_on(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(store, {"digits": ONE})
    made = bundle()
    made.initialize()
    state = deliver(store, {"digits": TWO}, serial=2)
    key = release_key("dev", "digits", TWO.digest)
    good = store.objects[key]
    store.objects[key] = good[:100] + bytes([good[100] ^ 1]) + good[101:]
    made.refresh()
    assert '"one"' in dag(made)
    assert f"release {TWO.digest[:12]} of digits: the archive was altered" in caplog.text
    with pytest.raises(DeliveryError, match=f"release {TWO.digest[:12]} of digits"):
        bundle(state.name).initialize()
    store.objects[key] = good
    made.refresh()
    assert '"two"' in dag(made)


def test_an_altered_state_is_refused_by_name(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    first = deliver(store, {"digits": ONE})
    made = bundle()
    made.initialize()
    store.objects["dev/state.json"] = store.objects["dev/state.json"].replace(b'"dev"', b'"dex"') + b" "
    made.refresh()
    assert "s3://code/dev/state.json was altered" in caplog.text
    copy = f"dev/states/{first.name}.json"
    store.objects[copy] = store.objects[copy].replace(ONE.digest.encode(), TWO.digest.encode())
    shutil.rmtree(made.base_dir)
    with pytest.raises(DeliveryError, match="was altered"):
        bundle(first.name).initialize()


def test_airflows_removal_of_a_stale_version_leaves_the_releases_of_others(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    first = deliver(store, {"digits": ONE, "letters": OTHER})
    second = deliver(store, {"digits": TWO, "letters": OTHER}, serial=2)
    old, new = bundle(first.name), bundle(second.name)
    old.initialize()
    new.initialize()
    shutil.rmtree(old.path)  # what BundleUsageTrackingManager does
    assert '"two"' in dag(new)
    assert "abc" in dag(new, "letters/dags/sort.py")
    third = deliver(store, {"digits": TWO}, serial=3)
    bundle(third.name).initialize()
    staged = {path.name for path in (new.base_dir / "releases").iterdir()}
    assert staged == {TWO.digest, OTHER.digest}


def test_a_version_that_was_half_removed_is_staged_again(bundle: BundleFactory, store: MemoryStore) -> None:
    state = deliver(store, {"digits": ONE})
    made = bundle(state.name)
    made.initialize()
    (made.path / "digits").unlink()
    again = bundle(state.name)
    again.initialize()
    assert '"one"' in dag(again)


def test_leftovers_of_a_crash_are_removed_and_old_live_folders_too(bundle: BundleFactory, store: MemoryStore) -> None:
    made = bundle()
    made.initialize()
    (made.base_dir / "aside" / "half").mkdir(parents=True)
    (made.base_dir / "aside" / "half" / "file").write_text("x")
    for serial in range(1, 6):
        deliver(store, {"digits": ONE if serial % 2 else TWO}, serial=serial)
        made.refresh()
    assert list((made.base_dir / "aside").iterdir()) == []
    assert sorted(path.name[:2] for path in (made.base_dir / "live").iterdir()) == ["4-", "5-"]


def test_projects_limit_what_is_staged_and_a_change_of_them_stages_again(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    deliver(store, {"digits": ONE, "letters": OTHER})
    made = bundle(projects=["letters"])
    made.initialize()
    assert not (made.path / "digits").exists()
    more = bundle(projects=["letters", "digits"])
    more.initialize()
    assert (more.path / "digits" / "dags" / "read.py").exists()


def test_many_processes_that_begin_at_once_stage_a_version_once(bundle: BundleFactory, store: MemoryStore) -> None:
    state = deliver(store, {"digits": ONE})
    store.calls.clear()
    bundles = [bundle(state.name) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda one: one.initialize(), bundles))
    assert len(store.calls) == 2
    assert all('"one"' in dag(one) for one in bundles)


def test_staged_files_are_readable_for_other_users(bundle: BundleFactory, store: MemoryStore) -> None:
    deliver(store, {"digits": ONE})
    before = os.umask(0o077)
    try:
        made = bundle()
        made.initialize()
    finally:
        os.umask(before)
    release = made.path.resolve().parents[1] / "releases" / ONE.digest
    assert all(path.stat().st_mode & 0o004 for path in (release.parent, release, *release.rglob("*")))


def test_a_version_that_is_no_state_is_refused_before_it_becomes_a_path(bundle: BundleFactory) -> None:
    with pytest.raises(Exception, match="is not the name of a state"):
        bundle("../../etc")


def test_the_link_leads_to_the_gitlab_project_without_staging(bundle: BundleFactory, store: MemoryStore) -> None:
    assert bundle().view_url_template() is None
    deliver(store, {"digits": ONE})
    assert bundle().view_url_template() == "https://gitlab.example/ocr/digits"
    assert bundle(view_url_template="https://x/{version}").view_url_template() == "https://x/{version}"


def test_credentials_may_come_from_an_airflow_connection(storage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from windlass.adapters.s3 import open_bucket
    from windlass.airflow.bundle import ReleaseBundle

    with moto_server("code") as endpoint:
        with pytest.MonkeyPatch.context() as own:
            for name, value in CREDENTIALS.items():
                own.setenv(name, value)
            deliver(open_bucket("code", endpoint), {"digits": ONE})
        connection = {"conn_type": "aws", "login": "test", "password": "test", "extra": {"endpoint_url": endpoint}}
        monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(connection))
        made = ReleaseBundle(name="windlass", bucket="code", prefix="dev", aws_conn_id="store")
        made.initialize()
        assert '"one"' in dag(made)


def test_a_task_that_finds_its_version_staged_does_not_even_import_boto3(
    bundle: BundleFactory, store: MemoryStore, storage: Path
) -> None:
    state = deliver(store, {"digits": ONE})
    bundle(state.name).initialize()
    script = f"""
import sys
from windlass.airflow.bundle import ReleaseBundle
bundle = ReleaseBundle(name="windlass", bucket="code", prefix="dev", version={state.name!r})
bundle.initialize()
print("whole" if (bundle.path / "digits/dags/read.py").exists() else "not there", "boto3" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "whole False" in done.stdout


def test_airflows_own_cleaning_removes_a_stale_version_and_nothing_else(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    import pendulum
    from airflow.dag_processing.bundles.base import BundleUsageTrackingManager, TrackedBundleVersionInfo

    first = deliver(store, {"digits": ONE})
    old, live = bundle(first.name), bundle()
    old.initialize()
    live.initialize()
    lock = old.base_dir.parent / "lock"
    lock.write_text("")
    info = TrackedBundleVersionInfo(lock_file_path=lock, version=first.name, dt=pendulum.now())
    BundleUsageTrackingManager._remove_stale_bundle("windlass", info)
    assert not old.path.exists()
    assert '"one"' in dag(live)
    again = bundle(first.name)
    store.calls.clear()
    again.initialize()
    assert '"one"' in dag(again)
    assert store.calls == [f"get dev/states/{first.name}.json"]
