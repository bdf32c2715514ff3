"""What a .gitlab-ci.yml says of windlass is read from any form that GitLab takes, and nothing of it is executed."""

import pytest

from windlass.doctor.ci_file import CiFile, Include, read_ci_file

MODEL = Include("platform/windlass", "v1", "ci/model.yml")


@pytest.mark.parametrize(
    ("text", "includes"),
    [
        ("include: {project: platform/windlass, ref: v1, file: ci/model.yml}", (MODEL,)),
        ("include: [{project: platform/windlass, ref: v1, file: [ci/model.yml, other.yml]}]", (MODEL,)),
        ("include: [{project: platform/windlass, ref: 1.0, file: /ci/lint.yml}]",
         (Include("platform/windlass", "1.0", "/ci/lint.yml"),)),
        ("include: [{component: $CI_SERVER_FQDN/platform/windlass/model@v1, inputs: {project: digits}}]",
         (Include("platform/windlass", "v1", "templates/model.yml", {"project": "digits"}),)),
        ("spec: {inputs: {a: {}}}\n---\ninclude: {project: platform/windlass, file: ci/model.yml}",
         (Include("platform/windlass", None, "ci/model.yml"),)),
        ("include: [{project: other/tool, ref: main, file: build.yml}, {remote: 'https://x/a.yml'}, 7, null]", ()),
        ("include: {project: [1], file: ci/model.yml}", ()),
        ("job: {script: !reference [.base, script]}", ()),
        ("job: {script: !!python/object/apply:os.system [exit]}", ()),
    ],
)  # fmt: skip
def test_the_files_of_the_platform_are_found(text: str, includes: tuple[Include, ...]) -> None:
    found = read_ci_file(text)
    assert (found.includes, found.problem) == (includes, None)


def test_the_platforms_own_pipeline_includes_its_files_without_a_ref() -> None:
    assert read_ci_file("include: [{local: /ci/model.yml}]") == CiFile(is_local=True)
    assert read_ci_file("include: ci/model.yml").is_local
    assert not read_ci_file("include: build.yml").is_local


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "a: 1: 2", "\x00"])
def test_what_is_no_pipeline_is_a_problem_and_no_error(text: str) -> None:
    assert (read_ci_file(text).problem or "").startswith(".gitlab-ci.yml ")


def test_the_audiences_of_id_tokens_are_those_of_windlass_own_token() -> None:
    text = """
.windlass:digits: {id_tokens: {WINDLASS_ID_TOKEN: {aud: sts.amazonaws.com}, OTHER: {aud: x}}}
a: {id_tokens: {WINDLASS_ID_TOKEN: {aud: [one, two]}}}
b: {id_tokens: {WINDLASS_ID_TOKEN: {}}}
c: {id_tokens: {OTHER: {aud: x}}}
"""
    assert read_ci_file(text).audiences == {".windlass:digits": ["sts.amazonaws.com"], "a": ["one", "two"], "b": []}


def test_a_file_whose_aliases_grow_without_end_is_read_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    bomb = "*a11"
    lines += [f"include: [{{local: {bomb}}}, {{project: p/w, ref: {bomb}, file: {bomb}}}, {{component: {bomb}}}]"]
    lines += [f"job: {{id_tokens: {{WINDLASS_ID_TOKEN: {{aud: {bomb}}}}}}}"]
    found = read_ci_file("\n".join(lines))
    assert (found.includes, found.is_local) == ((), False)
