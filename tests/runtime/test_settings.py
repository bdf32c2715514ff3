"""The settings as a bundle stages them."""

import importlib
import sys
from pathlib import Path

import pytest

from tests.operators.staged import release_files, stage
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.settings import read_settings


def test_each_version_has_its_own_settings_though_they_share_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        root = stage(tmp_path / version / "root", "staged", release_files(""), "http://127.0.0.1:1", prefix=version)
        if version == "two":
            (root / "staged").unlink()
            (root / "staged").symlink_to(tmp_path / "one" / "releases" / "staged", target_is_directory=True)
        with monkeypatch.context() as patched:
            patched.syspath_prepend(str(root))
            settings = importlib.import_module("staged.runtime.settings").read_settings()
        for name in [name for name in sys.modules if name.partition(".")[0] == "staged"]:
            del sys.modules[name]
        assert settings.prefix == version
        assert settings.data == "data"


def test_missing_settings_say_where_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=r"there are no settings at .*environment\.json; the bundle must stage"):
        read_settings(tmp_path / "environment.json")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"name": "dev", "prefix": "dev", "s3": 1}'])
def test_settings_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "environment.json").write_text(content)
    with pytest.raises(RuntimeStop, match="is not an environment's settings"):
        read_settings(tmp_path / "environment.json")
