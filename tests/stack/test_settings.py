"""`stack.json` holds secrets: nobody else may read it, and no message shows them."""

from pathlib import Path

import pytest

from windlass.spec.errors import WindlassError
from windlass.stack.settings import Settings, load, save


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    settings = Settings(ports={"s3": 20_001})
    save(tmp_path, settings)
    assert load(tmp_path) == settings


def test_only_the_owner_may_read_the_secrets(tmp_path: Path) -> None:
    save(tmp_path, Settings())
    assert (tmp_path / "stack.json").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_the_representation() -> None:
    settings = Settings()
    shown = repr(settings)
    secrets = [settings.root.secret_access_key, settings.operator_token]
    secrets += [s for a in settings.airflow.values() for s in (a.password, a.jwt, a.session, a.fernet)]
    assert not [secret for secret in secrets if secret in shown]


def test_a_damaged_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(WindlassError, match=r"stack\.json is damaged"):
        load(tmp_path)
