"""The gate in the pipeline of a merge request, on the stack's GitLab stand-in: with a job's token, or one more."""

import pytest

from tests.gate.story import Story, story  # noqa: F401 - the fixture

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("knows", ["the job token alone", "a token that may read"])
def test_from_nobody_to_approved_and_merged_and_a_push_in_between(
    story: Story,  # noqa: F811 - the fixture
    knows: str,
) -> None:
    more = {} if knows == "the job token alone" else {"WINDLASS_GITLAB_TOKEN": story.company.token("mia")}
    request = story.change("first", "Read digits", **{"notes.txt": "one\n"})

    def asked() -> tuple[int, str]:
        with story.job("ann", "first", request=request, **more):
            code, out, err = story.run("gate", "--to", "prod")
            return code, out + err

    code, said = asked()
    assert (code, "!1 by ann needs 1 approval after its last push and has 0: nobody" in said) == (2, True), said
    assert "press retry on this job after it" in said
    story.approve(request, "bob")
    code, said = asked()
    assert (code, "nothing stands against it" in said) == (0, True), said
    story.push("first", "more", **{"notes.txt": "two\n"})
    code, said = asked()
    assert (code, "bob approved before the last push" in said) == (2, True), said
    story.withdraw(request, "bob")
    story.approve(request, "bob")
    assert asked()[0] == 0
    story.merge(request)
    code, said = asked()
    assert (code, "!1 of ocr/digits is merged" in said) == (2, True), said
    assert not [key for key in story.store.objects if key.startswith("prod/")]
