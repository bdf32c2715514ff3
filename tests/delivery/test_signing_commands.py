# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""Keys, signed releases and environments that ask for them, over a real S3 protocol; the key itself is seen nowhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.test_commands import Run, commit, deliver, project, s3, windlass  # noqa: F401 - fixtures
from windlass.adapters.s3 import open_bucket
from windlass.cli.main import windlass as group

pytestmark = pytest.mark.stack

Said = list[str]


@pytest.fixture
def said(windlass: Run, tmp_path: Path, s3: str, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[Run, Said]]:
    """A run whose words are kept; at the end no key is in them, in the log, in the store or in the repository."""
    caplog.set_level("DEBUG")
    words: Said = []

    def run(*arguments: str) -> tuple[int, str, str]:
        code, out, err = windlass(*arguments)
        words.extend((out, err))
        return code, out, err

    yield run, words
    secrets = [path.read_bytes().splitlines()[1] for path in tmp_path.glob("*.pem")]
    store = open_bucket("windlass", s3)
    places = {key: store.get(key).content for key in store.list(tmp_path.name)}
    assert any("/provenance/" in key for key in places)
    places |= {str(path): path.read_bytes() for path in (tmp_path / "digits").rglob("*") if path.is_file()}
    places |= {"output": "".join(words).encode(), "log": caplog.text.encode()}
    assert len(secrets) == 2
    for secret in secrets:
        assert [place for place, content in places.items() if secret in content] == []


def new_key(run: Run, path: Path) -> str:
    """Makes a key; its public part."""
    code, out, err = run("sign-key", "new", str(path), "--name", path.stem)
    assert (code, err) == (0, "")
    line: str = out.strip()
    assert line.startswith(f'signers: {{{path.stem}: "ed25519:')
    return line


def test_a_signed_delivery_from_the_key_to_its_rotation(
    project: Path, said: tuple[Run, Said], s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, words = said
    ci, ann = project.parent / "ci.pem", project.parent / "ann.pem"
    trusts_ci, trusts_ann = new_key(run, ci), new_key(run, ann)
    assert run("sign-key", "show", str(ci), "--name", "ci")[1].strip() == trusts_ci
    assert run("sign-key", "new", str(ci))[0] == 2

    first = deliver(run)
    assert run("promote", "--to", "stage")[0] == 0
    stage = project / "environments/stage.yml"
    plain = stage.read_text()
    stage.write_text(plain + trusts_ci + "\n")
    (project / "train.csv").write_text("0.95\n")
    commit("signatures")
    code, out, err = run("env", "bundles", "stage", "--json")
    assert json.loads(out)[0]["kwargs"]["signers"] == {"ci": trusts_ci.split('"')[1]}, err

    deliver(run)
    assert "stage takes only what ci signed, and this release is without a signature" in "".join(words)
    code, out, err = run("plan", "--to", "stage", "--commit", "HEAD")
    assert (code, "refused: release" in out, "is not signed" in out) == (2, True, True), err
    code, _, err = run("promote", "--to", "stage")
    assert (code, "windlass sign dev --project digits --release" in err) == (2, True)

    monkeypatch.setenv("WINDLASS_SIGNING_KEY", str(ci))
    code, out, err = run("release", "--json")
    assert (code, json.loads(out)["new"], json.loads(out)["signed_by"]) == (0, False, trusts_ci.split('"')[1])
    assert "warning" not in err
    code, out, err = run("promote", "--to", "stage", "--json")
    assert code == 0, err

    code, _, err = run("rollback", "stage")
    assert (code, "sign it with windlass sign stage --project digits" in err) == (2, True)
    remedy = err[err.index("windlass sign stage") :].split()[1:]
    code, out, err = run(*remedy)
    assert (code, f"release: {first['after']['release']}" in out) == (0, True), err
    assert run("rollback", "stage")[0] == 0

    stage.write_text(plain + trusts_ann + "\n")
    commit("rotated")
    code, _, err = run("rollback", "stage")
    assert (code, "is signed by an unknown key, ed25519:" in err) == (2, True)
    code, out, err = run("sign", "stage", "--sign-key", str(ann), "--json")
    assert json.loads(out)["release"] == first["after"]["release"], err
    code, out, err = run("rollback", "stage")
    assert (code, "nothing to do" in out) == (0, True), err


def test_a_wrong_key_stops_a_release_before_anything_is_built(
    project: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = project.parent / "bad"
    bad.write_text("-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n")
    for value in (str(bad), bad.read_text(), "TOPSECRET"):
        monkeypatch.setenv("WINDLASS_SIGNING_KEY", value)
        for arguments in (["release"], ["sign", "dev"]):
            code, out, err = windlass(*arguments)
            assert (code, out) == (2, "")
            assert err.startswith("error: WINDLASS_SIGNING_KEY")
            assert "TOPSECRET" not in err
        code, out, err = windlass("release", "--sign-key", value)
        assert (code, "TOPSECRET" in err, "error: --sign-key" in err) == (2, False, True)
        code, out, err = windlass("sign-key", "show", value)
        assert (code, "TOPSECRET" in err) == (2, False)
    code, _, err = windlass("sign-key", "new", bad.read_text())
    assert (code, "TOPSECRET" in err) == (2, False)
    monkeypatch.setenv("WINDLASS_SIGNING_KEY", "")
    assert "no key to sign with; give --sign-key or set WINDLASS_SIGNING_KEY" in windlass("sign", "dev")[2]


def test_signers_in_an_environments_file_are_checked_without_repeating_what_may_be_secret(
    project: Path, windlass: Run
) -> None:
    stage = project / "environments/stage.yml"
    plain = stage.read_text()
    for signers, message in (
        ("{ci: TOPSECRET}", "ci: this is not a signer's public key; write 'ed25519:'"),
        ("{ci: 7}", "ci must be text"),
        ("[ci]", "signers must be a mapping"),
    ):
        stage.write_text(plain + f"signers: {signers}\n")
        code, _, err = windlass("status")
        assert (code, message in err, "TOPSECRET" in err) == (2, True, False), err


def test_signers_are_no_part_of_what_pipelines_and_states_see(project: Path, windlass: Run) -> None:
    from windlass.spec.environment import load_environments

    key = "ed25519:" + "A" * 43 + "="
    stage = project / "environments/stage.yml"
    stage.write_text(stage.read_text() + f'signers: {{ci: "{key}"}}\n')
    environment = load_environments(project / "environments")["stage"]
    assert environment.signers == {"ci": key}
    assert key not in environment.runtime.model_dump_json()
    assert {"sign", "sign-key"} <= set(group.commands) | set(group.list_commands(None))
